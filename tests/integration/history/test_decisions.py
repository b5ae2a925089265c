"""What people decide is kept on either store: waivers, plans, approvals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from driftguard.errors import StoreError
from driftguard.history.port import Query
from driftguard.history.store import SqlStore
from driftguard.model import (
    Severity,
    Waiver,
)
from driftguard.model.remediation import (
    ActionKind,
    Approval,
    Change,
    Cure,
    Execution,
    ExecutionStatus,
    Plan,
    Refusal,
    Step,
)
from tests.history_values import (
    finding,
    key,
    night,
)
from tests.service_values import plan_of


def test_waivers_come_and_go_and_leave_a_trace(store: SqlStore) -> None:
    waiver = Waiver(id="W-1", reason="migration", owner="kim", approver="lee", expires_at=night(30))
    store.put_waiver(waiver, actor="lee")
    assert store.waivers() == [waiver]
    store.remove_waiver("W-1", actor="lee")
    assert store.waivers() == []
    with pytest.raises(StoreError, match="no waiver"):
        store.remove_waiver("W-1", actor="lee")
    assert [entry.action for entry in store.audit_entries()] == ["waiver.put", "waiver.remove"]


def test_a_waiver_that_was_renewed_was_in_force_before(store: SqlStore) -> None:
    def at(moment: datetime) -> list[tuple[str, datetime]]:
        return [(one.reason, one.expires_at) for one in store.waivers(moment)]

    first = Waiver(
        id="W-1", reason="first", owner="kim", approver="lee", created_at=night(0), expires_at=night(20)
    )
    store.put_waiver(first, actor="lee")
    store.put_waiver(
        replace(first, reason="renewed", created_at=night(10), expires_at=night(40)), actor="lee"
    )
    assert [at(night(n)) for n in (-1, 5, 12)] == [
        [],
        [("first", night(20))],
        [("renewed", night(40))],
    ]
    # The day on which it was made may be left as it was; then it was renewed when that was written.
    before = datetime.now(UTC) - timedelta(seconds=1)
    longer = replace(first, reason="once more", created_at=night(10), expires_at=night(900))
    store.put_waiver(longer, actor="lee")
    assert at(before) == [("renewed", night(40))]
    assert at(datetime.now(UTC) + timedelta(seconds=1)) == [("once more", night(900))]
    assert store.waivers() == [longer]
    store.remove_waiver("W-1", actor="lee")
    ended = datetime.now(UTC)
    store.put_waiver(replace(longer, reason="again", created_at=night(800)), actor="lee")
    assert at(ended + timedelta(seconds=1)) == []
    assert at(night(801)) == [("again", night(900))]
    assert at(night(5)) == [("first", night(20))]


def _plan() -> Plan:
    step = Step(
        id="s1",
        finding="f",
        title="Switch versioning on",
        key=key("a"),
        severity=Severity.HIGH,
        cure=Cure.FIX,
        action=ActionKind.SSM_AUTOMATION,
        target="AWS-ConfigureS3BucketVersioning",
        parameters={"BucketName": "a"},
        expected=(Change(path="/V", before=None, after="Enabled"),),
    )
    return Plan(
        id="p1",
        created_at=night(0),
        expires_at=night(1),
        author="kim",
        digest="d1",
        steps=(step,),
        left=(Refusal(finding="g", title="G", place="here", guard="size", why="x"),),
    )


def test_a_plan_is_approved_as_it_is_and_a_step_starts_once(store: SqlStore) -> None:
    store.put_plan(_plan())
    store.put_plan(_plan())
    with pytest.raises(StoreError, match="other steps"):
        store.put_plan(replace(_plan(), digest="d2"))
    approval = Approval(approver="lee", at=night(0.5), reason="ok", digest="d1", ticket="T-1")
    with pytest.raises(StoreError, match="digest"):
        store.approve_plan("p1", replace(approval, digest="d2"))
    store.approve_plan("p1", approval)
    assert store.plan("p1") == replace(_plan(), approvals=(approval,))
    assert store.plans(Query()).items == (replace(_plan(), approvals=(approval,)),)
    started = Execution(
        plan="p1", step="s1", token="t1", status=ExecutionStatus.STARTED, started_at=night(0.6)
    )
    assert store.put_execution(started) is True
    assert store.put_execution(started) is False
    done = replace(started, status=ExecutionStatus.VERIFIED, finished_at=night(0.7), execution_id="e")
    store.update_execution(done)
    assert store.executions("p1") == [done]


def test_a_search_of_plans_takes_its_text_as_it_stands(store: SqlStore) -> None:
    store.put_plan(plan_of([finding("archive")], "lee"))
    found = {text: len(store.plans(Query(text=text)).items) for text in ("LEE", "p-", "%", "_", "kim")}
    assert found == {"LEE": 1, "p-": 1, "%": 0, "_": 0, "kim": 0}
