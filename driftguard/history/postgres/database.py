"""PostgreSQL through psycopg 3: the same tables, writers serialised by an advisory lock."""

from __future__ import annotations

import queue
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from driftguard.errors import StoreError
from driftguard.history.database import Row
from driftguard.history.migrate import migrate, version
from driftguard.history.postgres.copying import dump, load, schema_of

_LOCK = 0x6472696674  # "drift": the key of the writers' advisory lock
_IDLE_CONNECTIONS = 8
_CONNECT_SECONDS = 10
_STATEMENT_SECONDS = 600
_RANDOM = ("bodies", "versions", "resources", "texts", "acts")
"""The tables that grow with the nights and are indexed by what comes in no order."""


class PostgresConnection:
    """A `Connection` on PostgreSQL; statements are written with ``?``."""

    def __init__(self, raw: psycopg.Connection[Row]) -> None:
        self.raw = raw

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        # Binary: a body as text would be twice as long, and would have to be read digit by digit.
        # Never prepared: from the sixth time on, PostgreSQL may plan a prepared statement for any value, and a
        # search for a rare text as if it were a common one.
        return self.raw.execute(_translate(sql), list(parameters), prepare=False, binary=True).fetchall()

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        return self.raw.execute(_translate(sql), list(parameters)).rowcount

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        listed = [list(row) for row in rows]
        if listed:
            self.raw.cursor().executemany(_translate(sql), listed)

    def script(self, statements: Iterable[str]) -> None:
        for statement in statements:
            self.raw.execute(statement.encode())


class PostgresDatabase:
    """A `Database` on a PostgreSQL server (14 or newer).  Connections are pooled by hand.

    Needs session-mode connections: behind PgBouncer use ``pool_mode = session``.
    """

    dialect = "postgres"
    row_lock = "FOR UPDATE SKIP LOCKED"
    row_wait = "FOR UPDATE"
    # Collation "C": the same order as SQLite's and Python's, whatever the server's locale.
    types = {  # noqa: RUF012
        "blob": "BYTEA",
        "text": 'TEXT COLLATE "C"',
        "big": "BIGINT",
        "int": "INTEGER",
        "small": "SMALLINT",
        "without_rowid": "",
    }

    def __init__(self, url: str) -> None:
        self.url = url.replace("postgres://", "postgresql://", 1)
        self._idle: queue.LifoQueue[PostgresConnection] = queue.LifoQueue(_IDLE_CONNECTIONS)
        self._give_back(self._connect())

    @property
    def name(self) -> str:
        """The URL without its password, for messages."""
        parts = urlsplit(self.url)
        host = parts.netloc.rsplit("@", 1)[-1]
        user = parts.username + "@" if parts.username else ""
        return urlunsplit((parts.scheme, user + host, parts.path, "", ""))

    def _connect(self) -> PostgresConnection:
        try:
            raw: psycopg.Connection[Row] = psycopg.connect(
                self.url,
                autocommit=True,
                connect_timeout=_CONNECT_SECONDS,
                application_name="driftguard",
                keepalives_idle=30,
                options=f"-c statement_timeout={_STATEMENT_SECONDS}s -c lock_timeout=60s "
                "-c timezone=UTC -c work_mem=32MB",
            )
        except psycopg.Error as error:
            raise self._explain(error) from None
        return PostgresConnection(raw)

    def _give_back(self, connection: PostgresConnection) -> None:
        if connection.raw.closed:
            return
        try:
            self._idle.put_nowait(connection)
        except queue.Full:
            connection.raw.close()

    def _take(self) -> PostgresConnection:
        """An idle connection that still answers, or a new one."""
        while True:
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                return self._connect()
            try:
                connection.raw.execute("SELECT 1")
                return connection
            except psycopg.Error:
                connection.raw.close()

    @contextmanager
    def _borrow(self, *begin: str) -> Iterator[PostgresConnection]:
        connection = self._take()
        raw = connection.raw
        try:
            for statement in begin:
                raw.execute(statement.encode())
            yield connection
            raw.execute("COMMIT")
        except BaseException as error:
            with suppress(psycopg.Error):
                raw.execute("ROLLBACK")
            if isinstance(error, psycopg.Error):
                raise self._explain(error) from error
            raise
        finally:
            self._give_back(connection)

    @contextmanager
    def read(self) -> Iterator[PostgresConnection]:
        with self._borrow("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY") as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[PostgresConnection]:
        with self._borrow("BEGIN", f"SELECT pg_advisory_xact_lock({_LOCK})") as connection:
            yield connection

    @contextmanager
    def write_rows(self) -> Iterator[PostgresConnection]:
        with self._borrow("BEGIN") as connection:
            yield connection

    def now(self, host: datetime) -> datetime:
        with self.read() as connection:
            found: datetime = connection.rows("SELECT clock_timestamp()")[0][0]
        return found

    def check(self) -> list[str]:
        # PostgreSQL checks its own pages (data checksums); reading every row is what is left to do.
        faults = []
        with self.read() as connection:
            tables = connection.rows(
                "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
            )
        for (table,) in tables:
            try:
                with self.read() as connection:
                    connection.rows(f'SELECT COUNT(t::text) FROM "{table}" t')  # noqa: S608
            except StoreError as error:
                faults.append(f"PostgreSQL: {table}: {error.message}")
        return faults

    def backup(self, target: Path) -> None:
        if target.exists():
            raise StoreError(f"{target} exists already.", fix="Name a file that does not exist yet.")
        with self.read() as connection:
            dump(connection.raw, target, version(self))

    def restore(self, source: Path) -> None:
        # The tables must be those of the backup; what came since is migrated with the rows in them.
        schema = schema_of(source)
        migrate(self, upto=schema)
        if version(self) != schema:
            raise StoreError(
                f"{self.name} was set up for schema version {version(self)}, and the backup has {schema}.",
                fix="Restore into a new database.",
            )
        with self.write() as connection:
            if connection.rows("SELECT 1 FROM runs LIMIT 1") or connection.rows(
                "SELECT 1 FROM audit LIMIT 1"
            ):
                raise StoreError(f"{self.name} is not empty.", fix="Restore into a new database.")
            load(connection.raw, source)
        migrate(self)

    def compact(self) -> None:
        connection = self._take()
        try:
            connection.raw.execute("VACUUM ANALYZE")
            # Indexes over random values fill their pages by two thirds only until they are built anew.
            for table in _RANDOM:
                connection.raw.execute(f"REINDEX TABLE CONCURRENTLY {table}".encode())
        except psycopg.Error as error:
            raise self._explain(error) from error
        finally:
            self._give_back(connection)

    def size(self) -> int:
        with self.read() as connection:
            sql = (
                "SELECT COALESCE(SUM(pg_total_relation_size(c.oid)), 0) FROM pg_class c "
                "JOIN pg_namespace n ON n.oid = c.relnamespace "
                "WHERE n.nspname = current_schema() AND c.relkind = 'r'"
            )
            return int(connection.rows(sql)[0][0])

    def close(self) -> None:
        while True:
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                return
            connection.raw.close()

    def _explain(self, error: psycopg.Error) -> StoreError:
        text = " ".join(str(error).split()) or type(error).__name__
        state = error.sqlstate or ""
        if isinstance(error, psycopg.OperationalError) and not state:
            return StoreError(
                f"the PostgreSQL server at {self.name} does not answer ({text}).",
                fix="Check that it runs, and the host, port and network rules.",
            )
        fixes = {
            "28P01": ("refused the password", "Check the user and the password in `store.url`."),
            "28000": ("refused this user", "Check the user in `store.url` and pg_hba.conf."),
            "3D000": ("has no such database", "Create it: `createdb driftguard`."),
            "42501": ("denied permission", "GRANT the user CREATE and USAGE on its schema."),
            "53100": ("has a full disk", "Free some space and run again."),
            "55P03": ("is being written by another process for more than 60 seconds", "Wait, and run again."),
            "57014": (
                "needed too long for a statement",
                "Narrow the question, or run again when it is quieter.",
            ),
        }
        if state in fixes:
            problem, fix = fixes[state]
            return StoreError(f"PostgreSQL at {self.name} {problem} ({text}).", fix=fix)
        return StoreError(
            f"PostgreSQL at {self.name} refused: {text}.", fix="`driftguard doctor` checks the store."
        )


def _translate(sql: str) -> bytes:
    """``?`` becomes ``%s``.  No statement of ours holds a literal question mark."""
    return sql.replace("%", "%%").replace("?", "%s").encode()
