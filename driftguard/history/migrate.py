"""Schema migrations: numbered SQL files, applied once, forward only.

``NNNN_name.sql`` holds what both databases share, ``NNNN_name.sqlite.sql`` and ``NNNN_name.postgres.sql``
what only one of them needs.  All that are missing are applied in one writer's transaction, so that any
number of processes may start at once.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib import resources
from string import Template

from driftguard.errors import StoreError
from driftguard.history.codec import iso
from driftguard.history.database import Connection, Database

_CREATE = (
    "CREATE TABLE IF NOT EXISTS migrations ("
    "version $big PRIMARY KEY, name $text NOT NULL, applied_at $text NOT NULL)"
)


def available(dialect: str) -> dict[int, list[tuple[str, str]]]:
    """Version -> (file name, text) of each file for ``dialect``, the shared one first."""
    found: dict[int, list[tuple[str, str]]] = {}
    folder = resources.files("driftguard.history") / "migrations"
    for file in sorted(folder.iterdir(), key=lambda item: (item.name[:4], item.name.count("."), item.name)):
        match = re.fullmatch(r"(\d{4})_\w+(?:\.(\w+))?\.sql", file.name)
        if match and match[2] in (None, dialect):
            found.setdefault(int(match[1]), []).append((file.name, file.read_text(encoding="utf-8")))
    return found


def migrate(database: Database, upto: int | None = None) -> list[int]:
    """Apply what is missing (at most to version ``upto``); answers the versions that were applied."""
    files = available(database.dialect)
    newest = max(files)
    if version(database) >= (newest if upto is None else upto):
        check_version(database, newest)
        return []
    with database.write() as connection:
        connection.script([Template(_CREATE).substitute(database.types)])
        done = {int(row[0]) for row in connection.rows("SELECT version FROM migrations")}
        _refuse_newer(max(done, default=0), newest)
        missing = [number for number in sorted(files) if number not in done and number <= (upto or newest)]
        for number in missing:
            for _, sql in files[number]:
                connection.script(_statements(Template(sql).substitute(database.types)))
            connection.run(
                "INSERT INTO migrations (version, name, applied_at) VALUES (?, ?, ?)",
                (number, files[number][0][0].split(".")[0], iso(datetime.now(UTC))),
            )
    return missing


def version(database: Database) -> int:
    """The newest applied migration, 0 for an empty database."""
    with database.read() as connection:
        return _version(connection, database.dialect)


def _version(connection: Connection, dialect: str) -> int:
    catalogue = (
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migrations'"
        if dialect == "sqlite"
        else "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'migrations'"
    )
    if not connection.rows(catalogue):
        return 0
    return int(connection.rows("SELECT COALESCE(MAX(version), 0) FROM migrations")[0][0])


def check_version(database: Database, newest: int | None = None) -> None:
    """Raise `StoreError` when the store was written by a newer driftguard."""
    _refuse_newer(version(database), newest or max(available(database.dialect)))


def _refuse_newer(found: int, newest: int) -> None:
    if found > newest:
        raise StoreError(
            f"the store has schema version {found}, and this driftguard knows versions up to {newest}.",
            fix="Install the driftguard that wrote it, or a newer one.",
        )


def _statements(sql: str) -> list[str]:
    """The statements of a file; one that holds semicolons inside ends with ``;;``."""
    text = "\n".join(line for line in sql.splitlines() if not line.lstrip().startswith("--"))
    if ";;" in text:
        return [part.strip() for part in text.split(";;") if part.strip()]
    return [part.strip() for part in text.split(";") if part.strip()]
