"""The run ledger and the outbox, over both stores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest

from driftguard.errors import FencedError
from driftguard.history.port import Query
from driftguard.history.store import SqlStore
from driftguard.model import RunStatus, Severity
from driftguard.model.notice import Delivery, DeliveryState, Message
from driftguard.model.schedule import Slot, SlotState, UnitState
from tests.history_values import START, report, run, snapshot

LEASE = 60.0


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def slot(key: str = "s1", seconds: float = 0, **more: object) -> Slot:
    return Slot(schedule="night", key=key, due_at=at(seconds), **more)  # type: ignore[arg-type]


def rings(*seconds: int) -> Callable[[datetime, datetime], Sequence[Slot]]:
    return lambda after, until: [slot(f"s{n}", n) for n in seconds if after < at(n) <= until]


def test_a_slot_is_written_once_whoever_rings(reopen: Callable[[], SqlStore]) -> None:
    one, two = reopen(), reopen()
    ring = rings(10, 20)
    assert one.advance("night", at(0), ring) == ()
    assert [s.key for s in one.advance("night", at(15), ring)] == ["s10"]
    assert two.advance("night", at(15), ring) == ()
    assert [s.key for s in two.advance("night", at(25), ring)] == ["s20"]
    assert [s.key for s in one.slots("night")] == ["s20", "s10"]


def test_a_clock_set_back_loses_no_slot(store: SqlStore) -> None:
    def ring(after: datetime, until: datetime) -> list[Slot]:
        found = [slot(f"s{n}", n) for n in range(100, 100_000, 100) if after < at(n) <= until]
        return [
            s
            if s is found[-1]
            else Slot(schedule="night", key=s.key, due_at=s.due_at, state=SlotState.SKIPPED, reason="missed")
            for s in found
        ]

    store.advance("night", at(0), ring)
    store.advance("night", at(50_000), ring)
    store.advance("night", at(150), ring)  # the clock was wrong by hours
    store.advance("night", at(250), ring)
    states = {s.key: s.state for s in store.slots("night", limit=1000)}
    assert states["s200"] is SlotState.DUE
    assert states["s50000"] is SlotState.DUE
    assert "s300" not in states


def test_one_worker_takes_a_unit_and_a_lost_one_is_refused(store: SqlStore) -> None:
    assert store.add_slot(slot(), at(0))
    assert not store.add_slot(slot(), at(0))
    first = store.claim("a", at(1), LEASE)
    assert first is not None
    assert store.claim("b", at(2), LEASE) is None
    assert store.renew(first, at(50), LEASE)
    assert store.claim("b", at(100), LEASE) is None
    second = store.claim("b", at(111), LEASE)
    assert second is not None
    assert second.fence > first.fence
    assert not store.renew(first, at(112), LEASE)
    with pytest.raises(FencedError):
        store.finish(first, at(112))
    mine = run(1, id="zombie", status=RunStatus.SUCCEEDED)
    with pytest.raises(FencedError):
        store.record(report(1, run=mine), snapshot(1), first)
    assert store.run("zombie") is None
    good = run(1, id="good", status=RunStatus.SUCCEEDED)
    store.record(report(1, run=good), snapshot(1), second)
    assert store.slots("night")[0].state is SlotState.DONE
    assert [(u.state, u.run_id) for u in store.units("night", "s1")] == [(UnitState.DONE, "good")]
    assert "night" in store.last_success()


def test_an_interrupted_night_is_not_done(store: SqlStore) -> None:
    store.add_slot(slot(), at(0))
    lease = store.claim("a", at(1), LEASE)
    assert lease is not None
    mine = run(1, id="half", status=RunStatus.INTERRUPTED)
    store.record(report(1, run=mine), snapshot(1), lease)
    store.release(lease, at(2))
    again = store.claim("b", at(3), LEASE)
    assert again is not None
    assert again.attempt == 1


def test_a_failing_unit_comes_back_and_is_given_up(store: SqlStore) -> None:
    store.add_slot(slot(task={"max_attempts": 2}), at(0))
    first = store.claim("a", at(1), LEASE)
    assert first is not None
    assert not store.fail(first, at(2), "no credentials", 30)
    assert store.claim("a", at(20), LEASE) is None
    second = store.claim("a", at(40), LEASE)
    assert second is not None
    assert store.fail(second, at(41), "no credentials", 30)
    found = store.slots("night")[0]
    assert found.state is SlotState.FAILED
    assert "no credentials" in found.reason


def test_a_unit_whose_workers_vanish_is_given_up(store: SqlStore) -> None:
    store.add_slot(slot(task={"max_attempts": 2}), at(0))
    for moment in (1, 100):
        assert store.claim("a", at(moment), LEASE) is not None
    assert store.claim("a", at(200), LEASE) is None
    assert store.slots("night")[0].state is SlotState.FAILED


def test_a_slot_is_done_when_its_last_unit_is(store: SqlStore) -> None:
    store.add_slot(slot(), at(0))
    whole = store.claim("a", at(1), LEASE)
    assert whole is not None
    store.expand(whole, at(2), [("111111111111", ""), ("222222222222", "")])
    leases = [store.claim(name, at(3), LEASE) for name in "ab"]
    assert {lease.account for lease in leases if lease} == {"111111111111", "222222222222"}
    for number, lease in enumerate(leases):
        assert lease is not None
        assert store.slots("night")[0].state is SlotState.DUE
        store.finish(lease, at(4 + number))
    assert store.slots("night")[0].state is SlotState.DONE


def test_slots_of_one_schedule_do_not_overlap(store: SqlStore) -> None:
    store.add_slot(slot("s1", 0), at(0))
    store.add_slot(slot("s2", 1), at(1))
    first = store.claim("a", at(2), LEASE)
    assert first is not None
    assert store.claim("b", at(3), LEASE) is None
    store.finish(first, at(4))
    second = store.claim("b", at(5), LEASE)
    assert second is not None
    assert second.slot == "s2"


def test_a_lease_from_a_wrong_clock_does_not_hold_for_ever(store: SqlStore) -> None:
    store.add_slot(slot("s1", 0), at(0))
    store.add_slot(slot("s2", 1), at(1))
    assert store.claim("a", at(100_000), LEASE) is not None
    assert store.claim("b", at(10), LEASE) is not None


def delivery(name: str, **more: object) -> Delivery:
    message = Message(title=name, severity=Severity.HIGH)
    return Delivery(**{"id": name, "channel": "ops", "message": message, "not_before": at(0), **more})  # type: ignore[arg-type]


def test_deliveries_are_written_with_the_run_and_taken_once(store: SqlStore) -> None:
    mine = run(1, id="r1", status=RunStatus.SUCCEEDED)
    store.record(
        report(1, run=mine), snapshot(1), None, [delivery("d1"), delivery("d2", not_before=at(90_000))]
    )
    assert store.enqueue([delivery("d1")], at(0)) == 0
    taken = store.take_deliveries(at(1), LEASE)
    assert [(one.id, one.state) for one in taken] == [("d1", DeliveryState.PENDING)]
    assert store.take_deliveries(at(2), LEASE) == ()
    store.close_deliveries(taken, DeliveryState.PENDING, at(3), error="no answer", not_before=at(30))
    assert store.take_deliveries(at(20), LEASE) == ()
    taken = store.take_deliveries(at(31), LEASE)
    store.close_deliveries(taken, DeliveryState.SENT, at(32), reference="42")
    assert store.take_deliveries(at(1000), LEASE) == ()
    assert {one.id: one.state for one in store.deliveries()} == {
        "d1": DeliveryState.SENT,
        "d2": DeliveryState.PENDING,
    }


def test_a_lost_sender_is_seen(store: SqlStore) -> None:
    store.enqueue([delivery("d1")], at(0))
    lost = store.take_deliveries(at(1), LEASE)
    again = store.take_deliveries(at(100), LEASE)
    assert [one.state for one in again] == [DeliveryState.SENDING]
    store.close_deliveries(lost, DeliveryState.SENT, at(101))
    assert store.deliveries()[0].state is DeliveryState.SENDING
    store.close_deliveries(again, DeliveryState.UNCERTAIN, at(102))
    assert store.deliveries()[0].state is DeliveryState.UNCERTAIN


def test_a_digest_comes_as_one(store: SqlStore) -> None:
    store.enqueue(
        [delivery(f"d{n}", digest=True) for n in range(3)] + [delivery("x", channel="else", digest=True)],
        at(0),
    )
    taken = store.take_deliveries(at(1), LEASE)
    assert {one.channel for one in taken} in ({"ops"}, {"else"})
    assert len(taken) + len(store.take_deliveries(at(1), LEASE)) == 4


def test_a_failed_slot_is_told_once(store: SqlStore) -> None:
    store.advance("night", at(0), rings())
    store.advance("night", at(5), lambda a, u: [slot("s1", 1, state=SlotState.SKIPPED, reason="missed")])
    assert store.tell_slots(lambda s: [delivery(s.key)], at(6)) == 1
    assert store.tell_slots(lambda s: [delivery(s.key + "again")], at(7)) == 0
    assert store.runs(Query()).items == ()
