"""The audit log: append-only, each entry chained to the one before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import orjson

from driftguard.history.codec import canonical, from_iso, iso
from driftguard.history.database import Connection, Row
from driftguard.history.kept import AuditEntry
from driftguard.history.tables.base import Part
from driftguard.model import Json

START = "0" * 64
"""What the first entry is chained to."""


def chain(before: str, entry: AuditEntry) -> str:
    """The digest of ``entry`` after an entry whose digest is ``before``."""
    covered = [
        before,
        entry.sequence,
        iso(entry.at),
        entry.actor,
        entry.action,
        entry.subject,
        dict(entry.detail),
    ]
    return hashlib.sha256(canonical(covered)).hexdigest()


def broken(entries: Iterable[AuditEntry], before: str = START, after: int = 0) -> int | None:
    """The sequence of the first entry that does not follow from the ones before it, if there is one."""
    expected = after + 1
    for entry in entries:
        if entry.sequence != expected or entry.digest != chain(before, entry):
            return expected
        before, expected = entry.digest, expected + 1
    return None


def append(
    connection: Connection, actor: str, action: str, subject: str, detail: Mapping[str, Json]
) -> AuditEntry:
    """Add an entry inside the caller's transaction."""
    rows = connection.rows("SELECT seq, digest FROM audit ORDER BY seq DESC LIMIT 1")
    sequence, before = (int(rows[0][0]) + 1, rows[0][1]) if rows else (1, START)
    written = orjson.loads(canonical(dict(detail)))
    bare = AuditEntry(
        sequence=sequence,
        at=datetime.now(UTC),
        actor=actor,
        action=action,
        subject=subject,
        detail=written,
        digest="",
    )
    digest = chain(before, bare)
    connection.run(
        "INSERT INTO audit (seq, at, actor, action, subject, detail, digest) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (sequence, iso(bare.at), actor, action, subject, canonical(written).decode(), digest),
    )
    return AuditEntry(
        sequence=sequence,
        at=bare.at,
        actor=actor,
        action=action,
        subject=subject,
        detail=written,
        digest=digest,
    )


class AuditPart(Part):
    """Writing and reading the log."""

    def audit(self, actor: str, action: str, subject: str, detail: Mapping[str, Json]) -> AuditEntry:
        with self.database.write() as connection:
            return append(connection, actor, action, subject, detail)

    def audit_entries(self, after: int = 0, limit: int = 1000) -> Sequence[AuditEntry]:
        with self.database.read() as connection:
            rows = connection.rows(
                "SELECT seq, at, actor, action, subject, detail, digest FROM audit WHERE seq > ? "
                "ORDER BY seq LIMIT ?",
                (after, limit),
            )
        return [_entry(row) for row in rows]

    def audit_newest(self, before: int | None = None, limit: int = 100) -> Sequence[AuditEntry]:
        with self.database.read() as connection:
            rows = connection.rows(
                "SELECT seq, at, actor, action, subject, detail, digest FROM audit WHERE seq < ? "
                "ORDER BY seq DESC LIMIT ?",
                (2**62 if before is None else before, limit),
            )
        return [_entry(row) for row in rows]


def _entry(row: Row) -> AuditEntry:
    return AuditEntry(
        sequence=int(row[0]),
        at=from_iso(row[1]),
        actor=row[2],
        action=row[3],
        subject=row[4],
        detail=orjson.loads(row[5]),
        digest=row[6],
    )
