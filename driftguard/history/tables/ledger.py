"""The run ledger: which slot of which schedule was started, by whom, and what became of it.

The alarm clocks of any number of nodes may ring as they like; a slot's primary key makes it one, a unit's
lease gives it to one worker, and its fence refuses what a worker writes that was thought dead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import orjson

from driftguard.errors import FencedError
from driftguard.history.codec import canonical, instant, micros
from driftguard.history.database import Connection, Database, Row, first
from driftguard.history.tables.base import Part
from driftguard.model import Run, RunStatus
from driftguard.model.schedule import EVENTS, Lease, Slot, SlotState, Unit, UnitState

_ATTEMPTS = 3
_LONGEST_RETRY_SECONDS = 3600
_UNIT = "schedule = ? AND slot = ? AND account = ? AND region = ?"
SLOT_COLUMNS = "schedule, slot, due_at, state, reason, task, finished_at"
# Nobody may hold a lease for longer than two spans, nor wait for longer than its retry asked for: what says so
# was written by a clock that has been set back since.  Slots of one schedule do not overlap.
_CANDIDATES = (
    "SELECT u.schedule, u.slot, u.account, u.region, u.fence, u.attempts, u.due_at, s.task "
    "FROM units u JOIN slots s ON s.schedule = u.schedule AND s.slot = u.slot "
    "WHERE u.due_at <= ? AND ((u.state = 'DUE' AND (u.not_before <= ? OR u.not_before > ? + u.wait)) "
    "OR (u.state = 'RUNNING' AND (u.lease_until < ? OR u.lease_until > ?))) "
    "AND (u.schedule = ? OR NOT EXISTS (SELECT 1 FROM units o WHERE o.schedule = u.schedule "
    "AND o.account = u.account AND o.region = u.region AND o.slot <> u.slot AND o.state = 'RUNNING' "
    "AND o.lease_until BETWEEN ? AND ?)) "
    "ORDER BY u.due_at, u.account, u.region LIMIT 5 "
)
_TAKE = (
    "UPDATE units SET state = 'RUNNING', owner = ?, fence = ?, attempts = ?, lease_until = ? "
    "WHERE schedule = ? AND slot = ? AND account = ? AND region = ?"
)


class LedgerPart(Part):
    """Slots, units and leases."""

    def clock(self, host: datetime) -> datetime:
        return self.database.now(host)

    def advance(
        self,
        schedule: str,
        now: datetime,
        slots: Callable[[datetime, datetime], Sequence[Slot]],
        *,
        tolerance_seconds: float = 300,
    ) -> Sequence[Slot]:
        at = micros(now)
        with self.database.write_rows() as connection:
            connection.run(
                "INSERT INTO schedules (id, horizon) VALUES (?, ?) ON CONFLICT DO NOTHING", (schedule, at)
            )
            sql = f"SELECT horizon FROM schedules WHERE id = ? {self.database.row_wait}"  # noqa: S608
            horizon = int(connection.rows(sql, (schedule,))[0][0])
            if horizon > at + tolerance_seconds * 1e6:
                # The clock was wrong and has been set back: what was only passed over will come again.
                connection.run(
                    "DELETE FROM slots WHERE schedule = ? AND state = ? AND due_at > ?",
                    (schedule, SlotState.SKIPPED.value, at),
                )
                horizon = at
            elif horizon >= at:
                return ()
            new = [slot for slot in slots(instant(horizon), now) if _insert(connection, slot, at)]
            connection.run("UPDATE schedules SET horizon = ? WHERE id = ?", (at, schedule))
        return new

    def add_slot(self, slot: Slot, now: datetime) -> bool:
        with self.database.write_rows() as connection:
            return _insert(connection, slot, micros(now))

    def claim(self, owner: str, now: datetime, lease_seconds: float) -> Lease | None:
        at, span = micros(now), int(lease_seconds * 1e6)
        sql = _CANDIDATES + self.database.row_lock.replace("UPDATE", "UPDATE OF u")
        with self.database.write_rows() as connection:
            for row in connection.rows(sql, (at, at, at, at, at + 2 * span, EVENTS, at, at + 2 * span)):
                lease = _lease(row, owner)
                if int(row[5]) >= _most(lease.task):
                    _give_up(self.database, connection, lease, at)
                    continue
                if self._taken_meanwhile(connection, lease, at, span):
                    continue
                taken = (owner, lease.fence, lease.attempt, at + span)
                connection.run(_TAKE, (*taken, *_key(lease)))
                return lease
        return None

    def _taken_meanwhile(self, connection: Connection, lease: Lease, at: int, span: int) -> bool:
        """Whether another slot of the schedule began between the look and the lock (row locks only)."""
        if not self.database.row_wait:
            return False
        connection.rows(
            f"SELECT 1 FROM schedules WHERE id = ? {self.database.row_wait}",  # noqa: S608
            (lease.schedule,),
        )
        running = (
            "SELECT 1 FROM units WHERE schedule = ? AND account = ? AND region = ? AND slot <> ? "
            "AND state = 'RUNNING' AND lease_until BETWEEN ? AND ?"
        )
        key = (lease.schedule, lease.account, lease.region, lease.slot, at, at + 2 * span)
        return lease.schedule != EVENTS and bool(connection.rows(running, key))

    def renew(self, lease: Lease, now: datetime, lease_seconds: float) -> bool:
        until = micros(now) + int(lease_seconds * 1e6)
        with self.database.write_rows() as connection:
            return _touch(connection, lease, "lease_until = ?", (until,))

    def expand(self, lease: Lease, now: datetime, places: Sequence[tuple[str, str]]) -> None:
        at = micros(now)
        with self.database.write_rows() as connection:
            _own(connection, lease, "state = 'DONE', lease_until = NULL, finished_at = ?", (at,))
            for account, region in places:
                _insert_unit(connection, lease.schedule, lease.slot, account, region, micros(lease.due_at))
            _settle(self.database, connection, lease, at)

    def finish(self, lease: Lease, now: datetime, run_id: str = "") -> None:
        with self.database.write_rows() as connection:
            _done(self.database, connection, lease, run_id, micros(now))

    def release(self, lease: Lease, now: datetime) -> None:
        with self.database.write_rows() as connection:
            _touch(
                connection,
                lease,
                "state = 'DUE', lease_until = NULL, attempts = attempts - 1, not_before = 0",
                (),
            )

    def fail(self, lease: Lease, now: datetime, error: str, retry_seconds: float) -> bool:
        at = micros(now)
        wait = int(min(retry_seconds * 2 ** (lease.attempt - 1), _LONGEST_RETRY_SECONDS) * 1e6)
        with self.database.write_rows() as connection:
            given_up = lease.attempt >= _most(lease.task)
            if not given_up:
                change = "state = 'DUE', lease_until = NULL, error = ?, not_before = ?, wait = ?"
                _own(connection, lease, change, (error, at + wait, wait))
                return False
            _own(
                connection,
                lease,
                "state = 'FAILED', lease_until = NULL, error = ?, finished_at = ?",
                (error, at),
            )
            _settle(self.database, connection, lease, at)
        return True

    def slots(self, schedule: str = "", limit: int = 100) -> Sequence[Slot]:
        sql = (
            f"SELECT {SLOT_COLUMNS} FROM slots WHERE schedule = ? OR ? = '' "  # noqa: S608
            "ORDER BY due_at DESC, schedule, slot LIMIT ?"
        )
        with self.database.read() as connection:
            return [slot_of(row) for row in connection.rows(sql, (schedule, schedule, limit))]

    def units(self, schedule: str, slot: str) -> Sequence[Unit]:
        sql = (
            "SELECT account, region, state, owner, attempts, run_id, error, finished_at FROM units "
            "WHERE schedule = ? AND slot = ? ORDER BY account, region"
        )
        with self.database.read() as connection:
            rows = connection.rows(sql, (schedule, slot))
        return [
            Unit(
                account=row[0],
                region=row[1],
                state=UnitState(row[2]),
                owner=row[3],
                attempts=int(row[4]),
                run_id=row[5],
                error=row[6],
                finished_at=None if row[7] is None else instant(row[7]),
            )
            for row in rows
        ]

    def last_success(self) -> Mapping[str, datetime]:
        sql = "SELECT schedule, MAX(finished_at) FROM slots WHERE state = 'DONE' GROUP BY schedule"
        with self.database.read() as connection:
            return {row[0]: instant(int(row[1])) for row in connection.rows(sql)}


def close_unit(database: Database, connection: Connection, lease: Lease, run: Run) -> None:
    """Inside the transaction that records ``run``: refuse a worker that lost its lease, close the unit."""
    sql = f"SELECT fence, state FROM units WHERE {_UNIT} {database.row_wait}"  # noqa: S608
    row = first(connection.rows(sql, _key(lease)))
    if row is None or int(row[0]) != lease.fence or row[1] != UnitState.RUNNING.value:
        raise _fenced(lease)
    if run.status is not RunStatus.INTERRUPTED:
        finished = run.finished_at or run.started_at
        _done(database, connection, lease, run.id, micros(database.now(finished)))


def _insert(connection: Connection, slot: Slot, at: int) -> bool:
    over = slot.state is SlotState.SKIPPED
    added = connection.run(
        "INSERT INTO slots (schedule, slot, due_at, state, reason, task, created_at, finished_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            slot.schedule,
            slot.key,
            micros(slot.due_at),
            slot.state.value,
            slot.reason,
            canonical(dict(slot.task)).decode(),
            at,
            at if over else None,
        ),
    )
    if added > 0 and not over:
        _insert_unit(connection, slot.schedule, slot.key, "", "", micros(slot.due_at))
    return added > 0


def _insert_unit(
    connection: Connection, schedule: str, slot: str, account: str, region: str, due_at: int
) -> None:
    connection.run(
        "INSERT INTO units (schedule, slot, account, region, state, owner, fence, attempts, due_at, not_before, wait, "
        "run_id, error) VALUES (?, ?, ?, ?, 'DUE', '', 0, 0, ?, 0, 0, '', '') ON CONFLICT DO NOTHING",
        (schedule, slot, account, region, due_at),
    )


def _key(lease: Lease) -> tuple[str, str, str, str]:
    return (lease.schedule, lease.slot, lease.account, lease.region)


def _touch(connection: Connection, lease: Lease, change: str, values: tuple[object, ...]) -> bool:
    sql = f"UPDATE units SET {change} WHERE {_UNIT} AND fence = ? AND state = 'RUNNING'"  # noqa: S608
    return connection.run(sql, (*values, *_key(lease), lease.fence)) == 1


def _own(connection: Connection, lease: Lease, change: str, values: tuple[object, ...]) -> None:
    if not _touch(connection, lease, change, values):
        raise _fenced(lease)


def _fenced(lease: Lease) -> FencedError:
    return FencedError(
        f"another worker owns {lease} now; this one was silent for too long.",
        fix="Nothing was written twice. Raise `service.lease.seconds` if this happens often.",
    )


def _done(database: Database, connection: Connection, lease: Lease, run_id: str, at: int) -> None:
    change = "state = 'DONE', lease_until = NULL, error = '', run_id = ?, finished_at = ?"
    _own(connection, lease, change, (run_id, at))
    _settle(database, connection, lease, at)


def _give_up(database: Database, connection: Connection, lease: Lease, at: int) -> None:
    change = (
        "state = 'FAILED', lease_until = NULL, finished_at = ?, "
        "error = CASE WHEN error = '' THEN ? ELSE error END"
    )
    reason = f"its worker was lost {lease.attempt - 1} times"
    connection.run(f"UPDATE units SET {change} WHERE {_UNIT}", (at, reason, *_key(lease)))  # noqa: S608
    _settle(database, connection, lease, at)


def _settle(database: Database, connection: Connection, lease: Lease, at: int) -> None:
    """Close the slot when its last unit is closed.  The slot's row is locked first, so that one sees the other."""
    slot = (lease.schedule, lease.slot)
    connection.rows(
        f"SELECT 1 FROM slots WHERE schedule = ? AND slot = ? {database.row_wait}",  # noqa: S608
        slot,
    )
    rows = connection.rows(
        "SELECT state, COUNT(*), MAX(error) FROM units WHERE schedule = ? AND slot = ? GROUP BY state", slot
    )
    states = {row[0]: (int(row[1]), row[2]) for row in rows}
    if UnitState.DUE in states or UnitState.RUNNING in states:
        return
    failed = states.get(UnitState.FAILED.value)
    state = SlotState.FAILED if failed else SlotState.DONE
    reason = f"{failed[0]} of its units were given up: {failed[1]}" if failed else ""
    connection.run(
        "UPDATE slots SET state = ?, reason = ?, finished_at = ? WHERE schedule = ? AND slot = ?",
        (state.value, reason, at, *slot),
    )


def _most(task: Mapping[str, object]) -> int:
    most = task.get("max_attempts", _ATTEMPTS)
    return most if isinstance(most, int) else _ATTEMPTS


def _lease(row: Row, owner: str) -> Lease:
    return Lease(
        schedule=row[0],
        slot=row[1],
        account=row[2],
        region=row[3],
        owner=owner,
        fence=int(row[4]) + 1,
        attempt=int(row[5]) + 1,
        due_at=instant(int(row[6])),
        task=orjson.loads(row[7]),
    )


def slot_of(row: Row) -> Slot:
    """A slot from its row of `SLOT_COLUMNS`."""
    return Slot(
        schedule=row[0],
        key=row[1],
        due_at=instant(int(row[2])),
        state=SlotState(row[3]),
        reason=row[4],
        task=orjson.loads(row[5]),
        finished_at=None if row[6] is None else instant(int(row[6])),
    )
