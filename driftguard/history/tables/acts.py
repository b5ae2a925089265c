"""What moved since a moment, and who was named for it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import orjson

from driftguard.history.bodies import Bodies
from driftguard.history.codec import from_iso, instant, micros
from driftguard.history.database import Row
from driftguard.history.tables.base import Part
from driftguard.history.tables.identities import Identities, key_of
from driftguard.history.tables.texts import Texts
from driftguard.model import Act, ChangedBy, Json, Move, ResourceKey

_MOVES = (
    "SELECT r.partition, r.account, r.region, r.type, r.identifier, r.arn, r.name, "
    "v.valid_from, v.body_id, p.valid_from, p.body_id, "
    "(SELECT MIN(finished_at) FROM runs WHERE taken_at >= v.valid_from) "
    "FROM versions v JOIN resources r ON r.id = v.resource_id "
    "LEFT JOIN versions p ON p.resource_id = v.resource_id AND p.valid_to = v.valid_from "
    "WHERE v.quiet = 0 AND v.valid_from >= ? "
    # What the very first run saw was there before; that it is new to the store is nobody's act.
    "AND v.valid_from > (SELECT MIN(taken_at) FROM runs WHERE taken_at IS NOT NULL) "
    "AND NOT EXISTS (SELECT 1 FROM acts a WHERE a.resource_id = v.resource_id AND a.at = v.valid_from) "
    "ORDER BY v.valid_from DESC, r.id LIMIT ?"
)
_ACTS = (
    "SELECT a.at, s.value, w.value, n.value, t.value, a.event_id, a.time FROM acts a "
    "JOIN resources r ON r.id = a.resource_id JOIN texts s ON s.id = a.subject_id "
    "JOIN texts w ON w.id = a.who_id JOIN texts n ON n.id = a.session_id JOIN texts t ON t.id = a.what_id "
    "WHERE r.account = ? AND r.region = ? AND r.type = ? AND r.identifier = ? AND r.partition = ? "
    "ORDER BY a.at DESC, s.value"
)
_UUID_BYTES = 16


class ActPart(Part):
    """Who changed what, beyond what became a finding."""

    def moves(
        self, since: datetime, limit: int = 5000, among: Container[ResourceKey] | None = None
    ) -> Sequence[Move]:
        with self.database.read() as connection:
            rows = connection.rows(_MOVES, (micros(since), limit))
            if among is not None:
                rows = [row for row in rows if key_of(row[:5]) in among]
            bodies = Bodies(connection)
            raw = bodies.unpack([body for row in rows for body in (row[8], row[10]) if body is not None])
        return [_move(row, raw) for row in rows]

    def put_acts(self, acts: Iterable[Act]) -> None:
        listed = list(acts)
        if not listed:
            return
        with self.database.write() as connection:
            identities, texts = Identities(connection), Texts(connection)
            rows = [
                (
                    micros(act.at),
                    micros(act.by.time),
                    identities.get(act.key),
                    texts.id(act.subject),
                    texts.id(orjson.dumps([act.by.principal, act.by.source]).decode()),
                    texts.id(act.by.session),
                    texts.id(orjson.dumps([act.by.event, act.by.confidence]).decode()),
                    _packed(act.by.event_id),
                )
                for act in listed
            ]
            identities.flush()
            texts.flush()
            connection.many(
                "INSERT INTO acts (at, time, resource_id, subject_id, who_id, session_id, what_id, event_id) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (resource_id, subject_id, at) DO NOTHING",
                rows,
            )

    def acts(self, key: ResourceKey) -> Sequence[Act]:
        with self.database.read() as connection:
            rows = connection.rows(_ACTS, (key.account, key.region, key.type, key.identifier, key.partition))
        return [_act(key, row) for row in rows]


def _move(row: Row, raw: Mapping[int, bytes]) -> Move:
    def state(body: int | None) -> Mapping[str, Json] | None:
        return None if body is None else orjson.loads(raw[body])

    return Move(
        key=key_of(row[:5]),
        arn=row[5],
        name=row[6],
        at=instant(row[7]),
        after=state(row[8]),
        since=None if row[9] is None else instant(row[9]),
        before=state(row[10]),
        until=None if row[11] is None else from_iso(row[11]),
    )


def _act(key: ResourceKey, row: Row) -> Act:
    principal, source = orjson.loads(row[2])
    event, confidence = orjson.loads(row[4])
    by = ChangedBy(
        principal=principal,
        session=row[3],
        source=source,
        event=event,
        event_id=_unpacked(bytes(row[5])),
        time=instant(row[6]),
        confidence=confidence,
    )
    return Act(key=key, at=instant(row[0]), subject=row[1], by=by)


def _packed(event_id: str) -> bytes:
    """An event's id as bytes: the sixteen of a UUID, which CloudTrail's are, or any other text."""
    try:
        number = UUID(event_id)
    except ValueError:
        number = None
    if number is not None and str(number) == event_id:
        return number.bytes
    text = event_id.encode()
    return text + b"\0" if len(text) == _UUID_BYTES else text


def _unpacked(data: bytes) -> str:
    return str(UUID(bytes=data)) if len(data) == _UUID_BYTES else data.rstrip(b"\0").decode()
