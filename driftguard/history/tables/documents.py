"""Small documents that the service keeps: one JSON value under a kind and a name, with an end if it has one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import orjson

from driftguard.history.codec import canonical, from_iso, iso
from driftguard.history.database import Row
from driftguard.history.kept import Document
from driftguard.history.tables.base import Part
from driftguard.model import Json

_COLUMNS = "kind, name, value, created_at, expires_at"
_LIVE = "(expires_at IS NULL OR expires_at > ?)"


class DocumentPart(Part):
    """Reading and writing documents.  One that is over is never handed out."""

    def put_document(
        self, kind: str, name: str, value: Mapping[str, Json], *, expires_at: datetime | None = None
    ) -> None:
        now = iso(datetime.now(UTC))
        with self.database.write() as connection:
            connection.run("DELETE FROM documents WHERE expires_at <= ?", (now,))
            connection.run("DELETE FROM documents WHERE kind = ? AND name = ?", (kind, name))
            connection.run(
                f"INSERT INTO documents ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608
                (
                    kind,
                    name,
                    canonical(dict(value)).decode(),
                    now,
                    None if expires_at is None else iso(expires_at),
                ),
            )

    def add_document(
        self, kind: str, name: str, value: Mapping[str, Json], *, expires_at: datetime | None = None
    ) -> bool:
        now = iso(datetime.now(UTC))
        with self.database.write() as connection:
            connection.run("DELETE FROM documents WHERE expires_at <= ?", (now,))
            if connection.rows("SELECT 1 FROM documents WHERE kind = ? AND name = ?", (kind, name)):
                return False
            connection.run(
                f"INSERT INTO documents ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608
                (
                    kind,
                    name,
                    canonical(dict(value)).decode(),
                    now,
                    None if expires_at is None else iso(expires_at),
                ),
            )
        return True

    def document(self, kind: str, name: str) -> Document | None:
        with self.database.read() as connection:
            rows = connection.rows(
                f"SELECT {_COLUMNS} FROM documents WHERE kind = ? AND name = ? AND {_LIVE}",  # noqa: S608
                (kind, name, iso(datetime.now(UTC))),
            )
        return _document(rows[0]) if rows else None

    def documents(self, kind: str) -> Sequence[Document]:
        with self.database.read() as connection:
            rows = connection.rows(
                f"SELECT {_COLUMNS} FROM documents WHERE kind = ? AND {_LIVE} ORDER BY name",  # noqa: S608
                (kind, iso(datetime.now(UTC))),
            )
        return [_document(row) for row in rows]

    def take_document(self, kind: str, name: str) -> Document | None:
        with self.database.write() as connection:
            rows = connection.rows(
                f"SELECT {_COLUMNS} FROM documents WHERE kind = ? AND name = ? AND {_LIVE}",  # noqa: S608
                (kind, name, iso(datetime.now(UTC))),
            )
            connection.run("DELETE FROM documents WHERE kind = ? AND name = ?", (kind, name))
        return _document(rows[0]) if rows else None


def _document(row: Row) -> Document:
    return Document(
        kind=row[0],
        name=row[1],
        value=orjson.loads(row[2]),
        created_at=from_iso(row[3]),
        expires_at=None if row[4] is None else from_iso(row[4]),
    )
