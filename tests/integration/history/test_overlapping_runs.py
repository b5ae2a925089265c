"""Runs that overlap: whichever is recorded last, what the newest look saw is the present."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from driftguard.history.findings import live
from driftguard.history.port import Query
from driftguard.history.store import SqlStore
from driftguard.model import (
    ComplianceType,
    CoverageCounts,
    Drift,
    DriftStatus,
    Evaluation,
    Finding,
    FindingStatus,
    Outcome,
    Report,
    Scope,
    StackState,
)
from tests.history_values import ACCOUNT, STACK_ID, drift, evaluation, key, night, resource, run, snapshot

STACK = StackState(
    account=ACCOUNT,
    region="us-east-1",
    stack_id=STACK_ID,
    name="shop",
    status="UPDATE_COMPLETE",
    resources=1,
)
BAD, GOOD = {"V": "Suspended"}, {"V": "Enabled"}
WRONG, RIGHT = (drift("a"),), (drift("a", DriftStatus.IN_SYNC),)
FAILS = (evaluation("a", ComplianceType.NON_COMPLIANT),)
MEETS = (evaluation("a", ComplianceType.COMPLIANT),)


class Look:
    """A run that began at ``hour`` and knew of ``memory`` then; it is recorded when it says so."""

    def __init__(
        self,
        store: SqlStore,
        hour: float,
        bad: bool,
        memory: Sequence[Finding] | None = None,
        *,
        scope: Scope | None = None,
    ) -> None:
        self._store, self._at = store, night(hour / 24)
        self._run = run(hour / 24, id=f"at-{hour:g}", scope=scope or Scope())
        self._memory = store.live_findings() if memory is None else memory
        self._snapshot = snapshot(hour / 24, resource("a", BAD if bad else GOOD, tags={"state": str(bad)}))
        self._drifts: Sequence[Drift] = WRONG if bad else RIGHT
        self._verdicts: Sequence[Evaluation] = FAILS if bad else MEETS
        store.begin_run(self._run)

    def record(self) -> Report:
        lives = live(
            self._memory,
            self._drifts,
            self._verdicts,
            run=self._run,
            now=self._at,
            snapshot=self._snapshot,
            stacks=(STACK,),
            covered_pairs=frozenset({(ACCOUNT, "us-east-1")}),
        )
        told = Report(
            run=replace(self._run, finished_at=self._at + timedelta(minutes=50)),
            outcome=Outcome.COMPLETE,
            coverage=CoverageCounts(checked=1),
            drifts=tuple(self._drifts),
            evaluations=tuple(self._verdicts),
            findings=lives.findings,
            resolved=lives.resolved,
            new=lives.new,
            reopened=lives.reopened,
            stacks=(STACK,),
        )
        self._store.record(told, self._snapshot)
        return told


def _present(store: SqlStore) -> tuple[object, ...]:
    """All that the store shows of the present, but for what tells runs apart."""
    (found,) = store.drifts(Query()).items
    (verdict,) = store.evaluations(Query()).items
    seen = store.resource(key("a"))
    assert seen is not None
    findings = {one.kind.value: one.status is FindingStatus.RESOLVED for one in store.findings(Query()).items}
    return found.status, verdict.compliance, seen.properties, seen.tags, findings


@pytest.mark.parametrize("bad_before", [True, False])
@pytest.mark.parametrize("slow_bad", [True, False])
@pytest.mark.parametrize("quick_bad", [True, False])
def test_the_newest_look_counts_whichever_is_recorded_last(
    store: SqlStore, bad_before: bool, slow_bad: bool, quick_bad: bool
) -> None:
    Look(store, -24, bad_before).record()
    slow = Look(store, 0, slow_bad)
    quick = Look(store, 0.5, quick_bad)
    shown = quick.record()
    before = _present(store)
    told = slow.record()

    status, verdict, properties, tags, findings = _present(store)
    assert status is (DriftStatus.MODIFIED if quick_bad else DriftStatus.IN_SYNC)
    assert verdict is (ComplianceType.NON_COMPLIANT if quick_bad else ComplianceType.COMPLIANT)
    assert (properties, tags) == ((BAD if quick_bad else GOOD), {"state": str(quick_bad)})
    assert (status, verdict, properties, tags) == before[:4]
    assert all(over is not quick_bad for over in findings.values())
    assert store.verify() == []
    # Each run's own report says what it saw itself.
    for own in (told, shown):
        back = store.report(own.run.id)
        assert back is not None
        assert [one.status for one in back.drifts] == [one.status for one in own.drifts]
        assert [one.compliance for one in back.evaluations] == [one.compliance for one in own.evaluations]
        assert {one.fingerprint for one in back.findings} == {one.fingerprint for one in own.findings}
    now = store.findings(Query(at=night(1), statuses=("OPEN",))).items
    assert bool(now) is quick_bad


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("after", [True, False])
def test_the_next_night_goes_on_from_the_newest_look(store: SqlStore, before: bool, after: bool) -> None:
    Look(store, -24, True).record()
    slow = Look(store, 0, before)
    Look(store, 0.5, after).record()
    slow.record()
    night_after = Look(store, 24, after).record()
    assert not night_after.new and not night_after.reopened and night_after.resolved == ()
    assert store.verify() == []
    assert all(one.occurrences == 1 for one in store.findings(Query()).items)


def test_what_a_slow_run_saw_becomes_the_past(store: SqlStore) -> None:
    Look(store, -24, False).record()
    slow, quick = Look(store, 0, True), Look(store, 1, True)
    quick.record()
    slow.record()
    seen = [store.resource(key("a"), night(hour / 24)) for hour in (-0.5, 0.5, 1.5)]
    assert [one.properties for one in seen if one is not None] == [GOOD, BAD, BAD]
    assert store.verify() == []


def test_verify_tells_of_an_interval_that_ends_before_it_begins(store: SqlStore) -> None:
    Look(store, 0, True).record()
    assert store.verify() == []
    with store.database.write() as connection:
        connection.run("UPDATE drifts SET valid_to = valid_from - 1")
    assert [fault for fault in store.verify() if "drifts" in fault]


def test_a_look_that_began_later_counts_though_the_clock_was_set_back(store: SqlStore) -> None:
    Look(store, 4, True).record()
    Look(store, 0, False).record()
    status, verdict, properties, _, findings = _present(store)
    assert (status, verdict, properties) == (DriftStatus.IN_SYNC, ComplianceType.COMPLIANT, GOOD)
    assert findings and all(findings.values())
    assert store.verify() == []
    assert [version.properties for version in store.versions(key("a"))] == [GOOD, BAD]
