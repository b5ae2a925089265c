"""The outbox: deliveries that are written with what they tell of, taken one batch at a time, and closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from driftguard.history.codec import from_text, instant, micros, text
from driftguard.history.database import Connection, Row
from driftguard.history.tables.base import Part
from driftguard.history.tables.ledger import SLOT_COLUMNS, slot_of
from driftguard.model.notice import Delivery, DeliveryState, Message
from driftguard.model.schedule import Slot

_COLUMNS = "id, channel, digest, state, not_before, attempts, sent_at, error, reference, message"
_DUE = (
    "SELECT id, channel, digest, state FROM outbox WHERE (state = 'PENDING' AND not_before <= ?) "
    "OR (state = 'SENDING' AND lease_until < ?) ORDER BY not_before, created_at, id LIMIT 1 "
)
_BATCH = (
    "SELECT id FROM outbox WHERE state = 'PENDING' AND digest = 1 AND channel = ? AND not_before <= ? "
    "ORDER BY not_before, created_at, id LIMIT 500 "
)


class OutboxPart(Part):
    """Deliveries."""

    def enqueue(self, deliveries: Sequence[Delivery], now: datetime) -> int:
        with self.database.write_rows() as connection:
            return put_deliveries(connection, deliveries, now)

    def take_deliveries(self, now: datetime, lease_seconds: float) -> Sequence[Delivery]:
        at = micros(now)
        with self.database.write_rows() as connection:
            rows = connection.rows(_DUE + self.database.row_lock, (at, at))
            if not rows:
                return ()
            name, channel, digest, state = rows[0]
            ids = [name]
            if digest and state == DeliveryState.PENDING.value:
                ids = [row[0] for row in connection.rows(_BATCH + self.database.row_lock, (channel, at))]
            before = [_read(connection, one) for one in ids]
            connection.many(
                "UPDATE outbox SET state = 'SENDING', attempts = attempts + 1, lease_until = ? WHERE id = ?",
                [(at + int(lease_seconds * 1e6), one) for one in ids],
            )
        return before

    def close_deliveries(
        self,
        deliveries: Sequence[Delivery],
        state: DeliveryState,
        now: datetime,
        *,
        error: str = "",
        reference: str = "",
        not_before: datetime | None = None,
    ) -> None:
        at = micros(now)
        again = None if not_before is None else micros(not_before)
        sent = at if state is DeliveryState.SENT else None
        with self.database.write_rows() as connection:
            connection.many(
                "UPDATE outbox SET state = ?, lease_until = NULL, error = ?, reference = ?, sent_at = ?, "
                "not_before = COALESCE(?, not_before) WHERE id = ? AND state = 'SENDING' AND attempts = ?",
                [
                    (state.value, error, reference, sent, again, one.id, one.attempts + 1)
                    for one in deliveries
                ],
            )

    def deliveries(self, channel: str = "", limit: int = 100) -> Sequence[Delivery]:
        sql = (
            f"SELECT {_COLUMNS} FROM outbox WHERE channel = ? OR ? = '' "  # noqa: S608
            "ORDER BY created_at DESC, id LIMIT ?"
        )
        with self.database.read() as connection:
            return [_delivery(row) for row in connection.rows(sql, (channel, channel, limit))]

    def tell_slots(self, compose: Callable[[Slot], Sequence[Delivery]], now: datetime) -> int:
        sql = (
            f"SELECT {SLOT_COLUMNS} FROM slots WHERE told_at IS NULL AND state IN ('FAILED', 'SKIPPED') "  # noqa: S608
            f"ORDER BY due_at LIMIT 1000 {self.database.row_lock}"
        )
        count = 0
        with self.database.write_rows() as connection:
            for row in connection.rows(sql):
                slot = slot_of(row)
                count += put_deliveries(connection, compose(slot), now)
                connection.run(
                    "UPDATE slots SET told_at = ? WHERE schedule = ? AND slot = ?",
                    (micros(now), slot.schedule, slot.key),
                )
        return count


def put_deliveries(connection: Connection, deliveries: Sequence[Delivery], now: datetime) -> int:
    """Write deliveries down inside the caller's transaction; those that are there already stay as they are."""
    return sum(
        connection.run(
            "INSERT INTO outbox (id, channel, digest, state, not_before, created_at, attempts, error, reference, "
            "message) VALUES (?, ?, ?, 'PENDING', ?, ?, 0, '', '', ?) ON CONFLICT DO NOTHING",
            (one.id, one.channel, int(one.digest), micros(one.not_before), micros(now), text(one.message)),
        )
        for one in deliveries
    )


def _read(connection: Connection, name: str) -> Delivery:
    sql = f"SELECT {_COLUMNS} FROM outbox WHERE id = ?"  # noqa: S608
    return _delivery(connection.rows(sql, (name,))[0])


def _delivery(row: Row) -> Delivery:
    return Delivery(
        id=row[0],
        channel=row[1],
        digest=bool(row[2]),
        state=DeliveryState(row[3]),
        not_before=instant(int(row[4])),
        attempts=int(row[5]),
        sent_at=None if row[6] is None else instant(int(row[6])),
        error=row[7],
        reference=row[8],
        message=from_text(Message, row[9]),
    )
