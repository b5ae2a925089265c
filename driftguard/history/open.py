"""From a URL to an open store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from driftguard.errors import StoreError
from driftguard.history.database import Database
from driftguard.history.migrate import check_version, migrate
from driftguard.history.store import SqlStore

if TYPE_CHECKING:
    from driftguard.history.redact import Redactor


def open_store(url: str, *, create: bool = True, redactor: Redactor | None = None) -> SqlStore:
    """Open the store at ``sqlite:///PATH`` or ``postgresql://...``, its schema brought up to date.

    Whatever is written passes ``redactor``.  ``create=False`` refuses a SQLite file that is not there and leaves the schema alone.  Raises
    `StoreError` with what is wrong and what to do.
    """
    database = _database(url, create)
    try:
        if create:
            migrate(database)
        else:
            check_version(database)
    except BaseException:
        database.close()
        raise
    return SqlStore(database, url, redactor)


def restore_store(url: str, source: Path) -> None:
    """Fill the store at ``url``, which must be empty or not there yet, from the backup ``source``."""
    database = _database(url, create=True)
    try:
        database.restore(source)
        migrate(database)
    finally:
        database.close()


def refuse_missing(url: str) -> None:
    """Raises `StoreError` when ``url`` names a SQLite file that is not there; nothing is made."""
    if url.startswith("sqlite:///") and not (path := _path(url)).exists():
        raise StoreError(
            f"there is no run yet: there is no store at {path}.", fix="`driftguard scan` makes it."
        )


def _path(url: str) -> Path:
    return Path(unquote(url.removeprefix("sqlite:///")))


def _database(url: str, create: bool) -> Database:
    if url.startswith("sqlite://"):
        return _sqlite(url, create)
    if url.startswith(("postgresql://", "postgres://")):
        try:
            from driftguard.history.postgres.database import PostgresDatabase
        except ImportError:
            raise StoreError(
                "PostgreSQL needs the psycopg package.", fix="`pip install 'driftguard-aws[postgres]'`."
            ) from None
        return PostgresDatabase(url)
    raise StoreError(
        f"`{url.split(':')[0]}` is not a kind of store.",
        fix="Write sqlite:///PATH or postgresql://USER@HOST/NAME.",
    )


def _sqlite(url: str, create: bool) -> Database:
    from driftguard.history.sqlite.database import SqliteDatabase

    if not url.startswith("sqlite:///") or len(url) == len("sqlite:///"):
        raise StoreError(
            f"`{url}` names no file.", fix="Write sqlite:///driftguard.db or sqlite:////absolute/path.db."
        )
    path = _path(url)
    if not create and not path.exists():
        raise StoreError(f"there is no store at {path} yet.", fix="`driftguard scan` makes it.")
    if not path.parent.is_dir():
        raise StoreError(f"the folder {path.parent} does not exist.", fix="Make it, or name another file.")
    if path.is_dir():
        raise StoreError(f"{path} is a folder.", fix="Name a file in it.")
    return SqliteDatabase(path)
