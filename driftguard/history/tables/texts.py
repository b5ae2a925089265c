"""Texts that repeat, stored once: coverage sets, verdict documents."""

from __future__ import annotations

from driftguard.history.codec import text_digest
from driftguard.history.database import Connection


class Texts:
    """The texts table as a map, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ids: dict[str, int] = {}
        self._fresh: list[tuple[int, bytes, str]] = []
        self._next = int(connection.rows("SELECT COALESCE(MAX(id), 0) FROM texts")[0][0]) + 1

    def id(self, value: str) -> int:
        """The id of ``value``; `flush` must run before rows refer to it."""
        number = self._ids.get(value)
        if number is None:
            digest = text_digest(value)
            rows = self._connection.rows("SELECT id FROM texts WHERE digest = ?", (digest,))
            if rows:
                number = int(rows[0][0])
            else:
                number = self._next
                self._next += 1
                self._fresh.append((number, digest, value))
            self._ids[value] = number
        return number

    def flush(self) -> None:
        if self._fresh:
            self._connection.many("INSERT INTO texts (id, digest, value) VALUES (?, ?, ?)", self._fresh)
            self._fresh = []
