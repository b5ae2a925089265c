"""Each guard has a case in which it refuses, and the plain case in which none does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from driftguard.model import (
    DeclaredResource,
    DifferenceType,
    Drift,
    DriftStatus,
    Finding,
    FindingKind,
    FindingStatus,
    PropertyDifference,
    Resource,
    ResourceKey,
    Severity,
    Source,
    StackState,
)
from driftguard.model.remediation import ActionKind, Approval, Change, Cure, Plan, Step
from driftguard.model.resource import Tolerance
from driftguard.remediation.guards import (
    PLANNED,
    STARTED,
    Planned,
    Starting,
    plan_refusals,
    planned_refusal,
    refusal,
)
from driftguard.remediation.material import Case, Material
from driftguard.remediation.seal import seal
from driftguard.settings.freeze import Freeze
from driftguard.settings.remediation import RemediationSettings

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
KEY = ResourceKey(account="111111111111", region="ap-northeast-2", type="AWS::S3::Bucket", identifier="b-1")
LIVE = Resource(
    key=KEY,
    properties={"VersioningConfiguration": {"Status": "Suspended"}},
    source=Source.CLOUD_CONTROL,
    state_hash="h1",
)
FINDING = Finding(
    fingerprint="f1", kind=FindingKind.DRIFT, key=KEY, subject="/VersioningConfiguration/Status",
    severity=Severity.HIGH, title="B differs", status=FindingStatus.NEW, first_seen=NOW, last_seen=NOW,
)  # fmt: skip
DECLARED = DeclaredResource(
    type=KEY.type, logical_id="B", properties={"VersioningConfiguration": {"Status": "Enabled"}},
    account=KEY.account, region=KEY.region, stack_id="s-1", stack_name="shop", physical_id="b-1", identifier="b-1",
)  # fmt: skip
DRIFT = Drift(
    key=KEY, status=DriftStatus.MODIFIED, logical_id="B", stack="shop", stack_id="s-1",
    differences=(
        PropertyDifference(
            path="/VersioningConfiguration/Status", expected="Enabled", actual="Suspended", type=DifferenceType.NOT_EQUAL
        ),
    ),
)  # fmt: skip
STACK = StackState(
    account=KEY.account, region=KEY.region, stack_id="s-1", name="shop", status="UPDATE_COMPLETE"
)
STEP = Step(
    id="step-001", finding="f1", findings=("f1",), title="B differs", key=KEY, severity=Severity.HIGH,
    cure=Cure.REVERT, action=ActionKind.SSM_AUTOMATION, target="DriftguardRevertResource",
    expected=(Change(path="/VersioningConfiguration/Status", before="Suspended", after="Enabled"),),
    state_hash="h1", stack="shop", stack_id="s-1", logical_id="B",
)  # fmt: skip
SETTINGS = RemediationSettings()


def planned(**changes: Any) -> Planned:
    case = Case(key=KEY, findings=(FINDING,), drift=DRIFT, live=LIVE, declared=DECLARED, stack=STACK)
    at = Planned(
        step=STEP, case=case, material=Material(now=NOW, declared={KEY: DECLARED}), settings=SETTINGS
    )
    inner = {name: changes.pop(name) for name in [*changes] if name in Case.__dataclass_fields__}
    return replace(at, case=replace(case, **inner), **changes)


def with_settings(**given: Any) -> RemediationSettings:
    return SETTINGS.model_copy(update=given)


OTHER = replace(KEY, type="AWS::EC2::SecurityGroupIngress", identifier="sgr-1")
GROUP = replace(KEY, type="AWS::EC2::SecurityGroup", identifier="sg-1")
SIBLING = replace(
    DECLARED, type="AWS::EC2::SecurityGroupIngress", stack_id="s-2", stack_name="other", logical_id="Rule",
    properties={"GroupId": "sg-1"}, identifier="sgr-1",
)  # fmt: skip
INGRESS = (Change(path="/SecurityGroupIngress", before=[], after=[]),)

REFUSED: list[tuple[str, Planned, str]] = [
    ("protected", planned(live=replace(LIVE, tags={"driftguard:protected": "yes"})), "protecting tag"),
    ("protected", planned(settings=with_settings(protected_accounts=(KEY.account,))), "account 111111111111"),
    (
        "protected",
        planned(settings=with_settings(protected_types=("AWS::S3::*",))),
        "AWS::S3::Bucket is protected",
    ),
    ("flapping", planned(findings=(replace(FINDING, flapping=True, occurrences=4),)), "opened 4 times"),
    (
        "stack-in-progress",
        planned(stack=replace(STACK, status="UPDATE_IN_PROGRESS")),
        "being changed right now",
    ),
    (
        "stack-in-progress",
        planned(stack=replace(STACK, status="UPDATE_ROLLBACK_FAILED")),
        "put that right first",
    ),
    (
        "owned-elsewhere",
        planned(
            declared=replace(
                DECLARED,
                tolerated=(Tolerance(path="/DesiredCapacity", owner="Auto Scaling", minimum=1, maximum=9),),
            ),
            step=replace(STEP, expected=(Change(path="/DesiredCapacity", before=4, after=2),)),
        ),
        "moved by Auto Scaling",
    ),
    (
        "would-replace",
        planned(step=replace(STEP, expected=(Change(path="/BucketName", before="a", after="b"),))),
        "would be replaced",
    ),
    (
        "would-replace",
        planned(
            drift=replace(DRIFT, differences=(replace(DRIFT.differences[0], requires_replacement=True),))
        ),
        "would be replaced",
    ),
    (
        "attached-elsewhere",
        planned(
            step=replace(STEP, key=GROUP, expected=INGRESS),
            declared=replace(DECLARED, type=GROUP.type, physical_id="sg-1", identifier="sg-1"),
            material=Material(now=NOW, declared={OTHER: SIBLING}),
        ),
        "stack other (Rule) attaches",
    ),
    (
        "template-would-undo",
        planned(
            step=replace(
                STEP,
                cure=Cure.FIX,
                expected=(Change(path="/VersioningConfiguration/Status", before="x", after="Suspended"),),
            )
        ),
        "would undo the change",
    ),
    ("secret", planned(material=Material(now=NOW, secret=lambda kind, place, value: True)), "holds a secret"),
    (
        "secret",
        planned(
            step=replace(STEP, parameters={"Diff": " Password: hunter2"}),
            material=Material(now=NOW, secret=lambda kind, place, value: place == "/Diff"),
        ),
        "Diff of the step would show a secret",
    ),
    ("document-not-allowed", planned(settings=with_settings(documents=("AWS-*",))), "allow-list"),
    ("deletes", planned(step=replace(STEP, deletes=True)), "--allow-deletes"),
    ("too-many", planned(settings=with_settings(max_per_run=1), earlier=(STEP,)), "most for one run"),
    ("too-many", planned(settings=with_settings(max_per_account=1), earlier=(STEP,)), "most for one account"),
    ("too-many", planned(settings=with_settings(max_per_type=1), earlier=(STEP,)), "most for one type"),
    (
        "too-many",
        planned(
            settings=with_settings(max_percent_of_type=10),
            earlier=(STEP, STEP),
            material=Material(now=NOW, inventory={(KEY.account, KEY.type): 20}),
        ),
        "more than 10 % of the 20",
    ),
]


@pytest.mark.parametrize(
    ("name", "at", "said"), REFUSED, ids=[f"{n}-{i}" for i, (n, _, _) in enumerate(REFUSED)]
)
def test_each_guard_of_planning_refuses(name: str, at: Planned, said: str) -> None:
    found = planned_refusal(at)
    assert found is not None
    assert found[0] == name
    assert said in found[1]


def test_a_plain_step_passes_every_guard_of_planning() -> None:
    assert planned_refusal(planned()) is None


def test_every_guard_of_planning_has_a_case() -> None:
    assert {name for name, _, _ in REFUSED} == {name for name, _ in PLANNED}


def test_a_value_outside_its_owners_range_was_set_by_somebody_else() -> None:
    owner = Tolerance(path="/DesiredCapacity", owner="Auto Scaling", minimum=1, maximum=9)
    step = replace(STEP, expected=(Change(path="/DesiredCapacity", before=40, after=2),))
    assert planned_refusal(planned(step=step, declared=replace(DECLARED, tolerated=(owner,)))) is None


def sealed(**changes: Any) -> Plan:
    made = seal(
        Plan(
            id="p-1",
            created_at=NOW,
            expires_at=NOW + timedelta(hours=24),
            author="lee",
            digest="",
            steps=(STEP,),
        )
    )
    approval = Approval(approver="kim", at=NOW, reason="agreed", digest=made.digest)
    return replace(replace(made, approvals=(approval,)), **changes)


def starting(**changes: Any) -> Starting:
    return replace(
        Starting(
            plan=sealed(), step=STEP, settings=SETTINGS, now=NOW, live=LIVE, stack_status="UPDATE_COMPLETE"
        ),
        **changes,
    )


FREEZE = Freeze(start=NOW - timedelta(hours=1), end=NOW + timedelta(hours=1), reason="the sale")
WEEKEND = Freeze(days=("sat", "sun"), timezone="Asia/Seoul", reason="nobody is there")
AT_START: list[tuple[str, Starting, str]] = [
    ("freeze", starting(settings=with_settings(freezes=(FREEZE,))), "the sale"),
    ("freeze", starting(settings=with_settings(freezes=(WEEKEND,))), "24:00 Asia/Seoul: nobody is there"),
    ("calendar", starting(calendars={"holidays": "CLOSED"}), "holidays is CLOSED"),
    ("calendar", starting(calendars={"holidays": "not allowed"}), "unreadable (not allowed)"),
    ("moved", starting(live=replace(LIVE, state_hash="h2")), "changed since"),
    ("moved", starting(live=None), "does not exist any more"),
    ("moved", starting(step=replace(STEP, state_hash="")), "exists now"),
    ("protected", starting(live=replace(LIVE, tags={"driftguard:protected": "1"})), "protecting tag"),
    ("stack-in-progress", starting(stack_status="UPDATE_IN_PROGRESS"), "being changed right now"),
    ("document", starting(document_problem="there is no such document."), "no such document"),
    ("document", starting(settings=with_settings(documents=())), "allow-list"),
]


@pytest.mark.parametrize(
    ("name", "at", "said"), AT_START, ids=[f"{n}-{i}" for i, (n, _, _) in enumerate(AT_START)]
)
def test_each_guard_of_the_start_refuses(name: str, at: Starting, said: str) -> None:
    found = refusal(at)
    assert found is not None
    assert found[0] == name
    assert said in found[1]


def test_a_plain_start_passes_and_every_guard_has_a_case() -> None:
    assert refusal(starting()) is None
    assert {name for name, _, _ in AT_START} == {name for name, _ in STARTED}


@pytest.mark.parametrize(
    ("plan", "settings", "now", "guard"),
    [
        (sealed(approvals=()), SETTINGS, NOW, "not-approved"),
        (sealed(), with_settings(required_approvals=2), NOW, "not-approved"),
        (sealed(author="kim"), SETTINGS, NOW, "changed"),
        (sealed(steps=(replace(STEP, target="AWS-TerminateEC2Instance"),)), SETTINGS, NOW, "changed"),
        (sealed(), SETTINGS, NOW + timedelta(hours=25), "expired"),
    ],
)
def test_a_plan_that_is_not_approved_changed_or_old_is_refused(
    plan: Plan, settings: RemediationSettings, now: datetime, guard: str
) -> None:
    assert guard in {name for name, _ in plan_refusals(plan, settings, now)}


def test_an_approved_plan_is_not_refused() -> None:
    assert plan_refusals(sealed(), SETTINGS, NOW) == []


def test_the_author_does_not_count_where_two_people_are_asked() -> None:
    plan = sealed()
    own = replace(plan, approvals=(replace(plan.approvals[0], approver="lee"),))
    names = {name for name, _ in plan_refusals(own, with_settings(author_may_approve=False), NOW)}
    assert names == {"not-approved"}


def test_an_approval_of_another_digest_does_not_count() -> None:
    plan = sealed()
    other = replace(plan, approvals=(replace(plan.approvals[0], digest="0" * 64),))
    assert {name for name, _ in plan_refusals(other, SETTINGS, NOW)} == {"not-approved"}
