"""What the two databases have in common: a handful of calls, and SQL that both understand.

Statements are written once, with ``?`` for parameters and ``$blob``, ``$text``, ``$big``, ``$int`` and
``$small`` for the column types that differ.  Writers are serialised by the adapter (``BEGIN IMMEDIATE`` on SQLite, an
advisory lock on PostgreSQL), so that "read, decide, write" inside one ``write()`` is safe.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

Row = tuple[Any, ...]


class Connection(Protocol):
    """One transaction's view of the database."""

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Every row of the answer."""

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Execute one statement; answers how many rows it touched."""

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute one statement for each of ``rows``."""

    def script(self, statements: Iterable[str]) -> None:
        """Execute statements without parameters, in order."""


class Database(Protocol):
    """An open database.  Everything that goes wrong below is raised as `StoreError`."""

    dialect: str
    """``sqlite`` or ``postgres``: names the migration files."""
    types: dict[str, str]
    """What ``$blob``, ``$text``, ``$big``, ``$int`` and ``$small`` are here."""

    def read(self) -> AbstractContextManager[Connection]:
        """A consistent view for several reads."""

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction that is alone among writers, committed at the end or rolled back on any error."""

    def write_rows(self) -> AbstractContextManager[Connection]:
        """A writing transaction that is alone only with the rows it locks (see ``row_lock``).

        For the ledger and the outbox, which must not wait for a night that is being recorded.
        """

    row_lock: str
    """What a SELECT ends with to lock its rows and pass over those that others hold; may be empty."""
    row_wait: str
    """The same, waiting for them instead."""

    def now(self, host: datetime) -> datetime:
        """The clock that all who share this database go by; ``host`` is the caller's own."""

    def check(self) -> list[str]:
        """Physical faults of the database, one sentence each; empty if it is sound."""

    def backup(self, target: Path) -> None:
        """Write a consistent copy to ``target`` while others go on writing."""

    def restore(self, source: Path) -> None:
        """Fill this empty database from a file that `backup` wrote."""

    def compact(self) -> None:
        """Give space that deletions freed back to the file system."""

    def size(self) -> int:
        """Bytes on disk, indexes included."""

    def close(self) -> None: ...


def first(rows: Sequence[Row]) -> Row | None:
    """The first row, if there is one."""
    return rows[0] if rows else None


def marks(count: int) -> str:
    """``?, ?, ?``"""
    return ", ".join("?" * count)


def batches(items: Sequence[Any], size: int = 500) -> Iterable[Sequence[Any]]:
    """``items`` in slices of ``size``, below both databases' limit on parameters."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def chunks(ids: Sequence[int]) -> list[str]:
    """``ids`` as SQL lists of literals (they are integers of our own), so that no parameter limit applies."""
    return [", ".join(map(str, part)) for part in batches(ids, 5000)]
