"""SQLite through sqlite-utils: one plain file, write-ahead log, one writer at a time."""

from __future__ import annotations

import queue
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database as SqliteFile

from driftguard.errors import StoreError
from driftguard.history.codec import text_digest
from driftguard.history.database import Row

_BUSY_SECONDS = 30
_IDLE_CONNECTIONS = 8


class SqliteConnection:
    """A `Connection` on a sqlite-utils database."""

    def __init__(self, file: SqliteFile) -> None:
        self.file = file

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self.file.conn.execute(sql, parameters).fetchall()

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        return self.file.conn.execute(sql, parameters).rowcount

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self.file.conn.executemany(sql, rows)

    def script(self, statements: Iterable[str]) -> None:
        for statement in statements:
            self.file.conn.execute(statement)


class SqliteDatabase:
    """A `Database` in one file.  Connections are pooled, so any thread may use it."""

    dialect = "sqlite"
    types = {  # noqa: RUF012
        "blob": "BLOB",
        "text": "TEXT",
        "big": "INTEGER",
        "int": "INTEGER",
        "small": "INTEGER",
        "without_rowid": " WITHOUT ROWID",
    }
    row_lock = ""
    row_wait = ""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: queue.LifoQueue[SqliteConnection] = queue.LifoQueue(_IDLE_CONNECTIONS)
        self._give_back(self._connect())

    def _connect(self) -> SqliteConnection:
        try:
            # isolation_level=None: sqlite3 never opens a deferred transaction behind our back.
            raw = sqlite3.connect(
                self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            file = SqliteFile(raw, execute_plugins=False)
            for pragma in (
                f"busy_timeout = {_BUSY_SECONDS * 1000}",
                "journal_mode = WAL",
                # FULL: an audit entry that was acknowledged survives a power cut.
                "synchronous = FULL",
                "foreign_keys = ON",
                "temp_store = MEMORY",
                "cache_size = -32000",
            ):
                raw.execute(f"PRAGMA {pragma}").fetchall()
            raw.execute("SELECT name FROM sqlite_master LIMIT 1").fetchall()
            raw.create_function("text_digest", 1, text_digest, deterministic=True)  # for migrations
        except sqlite3.Error as error:
            raise self._explain(error) from None
        return SqliteConnection(file)

    def _give_back(self, connection: SqliteConnection) -> None:
        try:
            self._idle.put_nowait(connection)
        except queue.Full:
            connection.file.conn.close()

    @contextmanager
    def _borrow(self, begin: str) -> Iterator[SqliteConnection]:
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = self._connect()
        raw = connection.file.conn
        try:
            raw.execute(begin)
            yield connection
            raw.execute("COMMIT")
        except BaseException as error:
            with suppress(sqlite3.Error):
                if raw.in_transaction:
                    raw.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise self._explain(error) from error
            raise
        finally:
            self._give_back(connection)

    @contextmanager
    def read(self) -> Iterator[SqliteConnection]:
        with self._borrow("BEGIN") as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[SqliteConnection]:
        with self._borrow("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def write_rows(self) -> Iterator[SqliteConnection]:
        # SQLite knows one writer only.
        with self.write() as connection:
            yield connection

    def now(self, host: datetime) -> datetime:
        # A SQLite file has one host.
        return host

    def check(self) -> list[str]:
        with self.read() as connection:
            try:
                faults = [
                    f"SQLite: {row[0]}."
                    for row in connection.rows("PRAGMA integrity_check(20)")
                    if row[0] != "ok"
                ]
                faults += [
                    f"SQLite: row {row[1]} of {row[0]} refers to a missing row of {row[2]}."
                    for row in connection.rows("PRAGMA foreign_key_check")
                ]
            except sqlite3.DatabaseError as error:
                return [f"SQLite: {error}."]
        return faults

    def backup(self, target: Path) -> None:
        if target.exists():
            raise StoreError(f"{target} exists already.", fix="Name a file that does not exist yet.")
        connection = self._connect()
        try:
            connection.file.conn.execute("VACUUM INTO ?", (str(target),))
        except sqlite3.Error as error:
            raise self._explain(error) from error
        finally:
            connection.file.conn.close()

    def restore(self, source: Path) -> None:
        with self.read() as connection:
            if connection.rows("SELECT 1 FROM sqlite_master LIMIT 1"):
                raise StoreError(f"{self.path} is not empty.", fix="Restore into a new file.")
        if not source.is_file():
            raise StoreError(f"there is no backup {source}.", fix="Name a file of `store backup`.")
        origin = SqliteDatabase(source)
        target = self._connect()
        try:
            with origin.read() as connection:
                connection.file.conn.backup(target.file.conn)
        except sqlite3.Error as error:
            raise self._explain(error) from error
        finally:
            target.file.conn.close()
            origin.close()

    def compact(self) -> None:
        connection = self._connect()
        try:
            connection.file.vacuum()
            connection.file.conn.execute("PRAGMA optimize")
            connection.file.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise self._explain(error) from error
        finally:
            connection.file.conn.close()

    def size(self) -> int:
        return sum(
            file.stat().st_size
            for suffix in ("", "-wal")
            if (file := self.path.with_name(self.path.name + suffix)).exists()
        )

    def close(self) -> None:
        while True:
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                return
            connection.file.conn.close()

    def _explain(self, error: sqlite3.Error) -> StoreError:
        text = str(error)
        if "locked" in text or "busy" in text:
            return StoreError(
                f"{self.path} is being written by another process for more than {_BUSY_SECONDS} seconds.",
                fix="Wait for the other driftguard to finish, or use PostgreSQL for many writers.",
            )
        if "not a database" in text:
            return StoreError(
                f"{self.path} is not a SQLite database.", fix="Name another file in `store.url`."
            )
        if "malformed" in text:
            return StoreError(f"{self.path} is damaged ({text}).", fix="Restore it from a backup.")
        if "readonly" in text or "unable to open" in text:
            return StoreError(
                f"{self.path} cannot be opened for writing.",
                fix="Check that its folder exists and that this user may write there.",
            )
        if "full" in text:
            return StoreError(
                f"the disk that holds {self.path} is full.", fix="Free some space and run again."
            )
        return StoreError(f"SQLite refused: {text}.", fix=f"`driftguard store verify` checks {self.path}.")
