"""Each guard refuses before the first call: the trail of the account sees nothing that changes anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from driftguard.errors import RefusedError
from driftguard.model import (
    DeclaredResource,
    DifferenceType,
    Drift,
    DriftStatus,
    Finding,
    FindingKind,
    PropertyDifference,
    Resource,
    ResourceKey,
    Source,
    StackState,
)
from driftguard.model.remediation import Change, Cure, Plan, Refusal
from driftguard.model.resource import Tolerance
from driftguard.remediation import Material, TemplateText, plan
from driftguard.remediation.seal import seal
from driftguard.sandbox import Sandbox
from driftguard.scan.again import Again
from driftguard.settings.freeze import Freeze
from driftguard.wiring import Wiring
from tests.remediation_shop import Shop, raise_threshold
from tests.remediation_world import ACCOUNT, REGION, World, approve, wishes

CALENDAR = """BEGIN:VCALENDAR
PRODID:-//AWS//Change Calendar 1.0//EN
VERSION:2.0
X-CALENDAR-TYPE:DEFAULT_{state}
END:VCALENDAR
"""


class Desk:
    """One shop for all guards: a refusal leaves it as it was."""

    def __init__(self, shop: Shop, wiring: Wiring) -> None:
        self.shop = shop
        self.wiring = wiring
        self.finding: Finding = shop.findings["Alarm"]
        again = Again(wiring.job(trigger="plan"), {ACCOUNT})
        self.material: Material = again.material([self.finding])

    def refused(self, made: Plan, guard: str, **settings: Any) -> Refusal:
        """The one refusal of a plan; applying the plan, approved, then makes no call that changes anything."""
        assert made.steps == ()
        assert [one.guard for one in made.left] == [guard]
        before = self.shop.mutations()
        assert self.apply(approve(self.wiring, made), **settings).executions == ()
        assert self.shop.mutations() == before
        return made.left[0]

    def settings(self, **given: Any) -> Any:
        return self.wiring.settings.remediation.model_copy(update=given)

    def plan(self, material: Material | None = None, cure: Cure = Cure.REVERT, **given: Any) -> Plan:
        name = self.finding.fingerprint
        return plan(
            material or self.material,
            self.wiring.remedies,
            self.settings(**given),
            wishes(cures={name: cure}),
        )

    def apply(self, made: Plan, **given: Any) -> Any:
        """Apply with other settings; what is asked of AWS goes its usual way."""
        whole = self.wiring.settings.model_copy(update={"remediation": self.settings(**given)})
        with Wiring(whole) as wiring:
            return wiring.runner(
                made, patches=self.shop.world.folder / "patches", sleep=self.shop.world.sleep
            ).run()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Sandbox() as sandbox, pytest.MonkeyPatch.context() as patch:
        world = World(sandbox, tmp_path_factory.mktemp("guards"), policies=("SNS_ENCRYPTED_KMS",))
        world.set_up()
        shop = Shop(world, patch)
        for state in ("OPEN", "CLOSED"):
            world.client("ssm").create_document(
                Name=f"calendar-{state.lower()}", DocumentType="ChangeCalendar", DocumentFormat="TEXT",
                Content=CALENDAR.format(state=state),
            )  # fmt: skip
        with Wiring(world.settings) as wiring:
            yield Desk(shop, wiring)


def test_without_a_reason_to_refuse_there_is_a_step(desk: Desk) -> None:
    """The same finding, settings and material: what is refused below is refused for its one reason."""
    made = desk.plan()
    assert [step.target for step in made.steps] == ["DriftguardRevertResource"] and made.left == ()
    changed = desk.shop.mutations()  # the trail does see what changes something
    assert ("sns.amazonaws.com", "SetTopicAttributes") in changed
    assert all(not name.startswith(("Describe", "Get", "List")) for _, name in changed)


# -- the whole plan


def unapproved(desk: Desk) -> Plan:
    return desk.plan()


def tampered(desk: Desk) -> Plan:
    made = approve(desk.wiring, desk.plan())
    changed = replace(made.steps[0], expected=(Change(path="/Threshold", before=500, after=1),))
    return replace(made, steps=(changed,))


def expired(desk: Desk) -> Plan:
    made = desk.plan()
    return approve(desk.wiring, seal(replace(made, expires_at=made.created_at - timedelta(hours=1))))


@pytest.mark.parametrize(
    ("make", "guard"), [(unapproved, "not-approved"), (tampered, "changed"), (expired, "expired")]
)
def test_a_plan_as_a_whole_is_refused(desk: Desk, make: Callable[[Desk], Plan], guard: str) -> None:
    made, before = make(desk), desk.shop.mutations()
    with pytest.raises(RefusedError) as refused:
        desk.apply(made)
    assert refused.value.guard == guard
    assert desk.shop.mutations() == before


def test_two_people_have_to_approve_where_the_settings_say_so(desk: Desk) -> None:
    made, before = approve(desk.wiring, desk.plan(required_approvals=2)), desk.shop.mutations()
    with pytest.raises(RefusedError, match="needs 2 approvals"):
        desk.apply(made)
    assert desk.shop.mutations() == before


# -- while planning


def _live(desk: Desk, **changes: Any) -> Material:
    key = desk.finding.key
    return replace(desk.material, resources={key: replace(desk.material.resources[key], **changes)})


def _declared(desk: Desk, **changes: Any) -> Material:
    key = desk.finding.key
    return replace(
        desk.material,
        declared={**desk.material.declared, key: replace(desk.material.declared[key], **changes)},
    )


def owned(desk: Desk) -> Material:
    return _declared(desk, tolerated=(Tolerance(path="/Threshold", owner="Application Auto Scaling"),))


def create_only(desk: Desk) -> Material:
    key = desk.finding.key
    drift = desk.material.drifts[key]
    changed = replace(drift.differences[0], requires_replacement=True)
    return replace(desk.material, drifts={key: replace(drift, differences=(changed,))})


def busy(desk: Desk) -> Material:
    stacks = {name: replace(one, status="UPDATE_IN_PROGRESS") for name, one in desk.material.stacks.items()}
    return replace(desk.material, stacks=stacks)


def secret(desk: Desk) -> Material:
    return replace(desk.material, secret=lambda kind, place, value: place == "/Threshold")


def flapping(desk: Desk) -> Material:
    return replace(desk.material, findings=[replace(desk.finding, flapping=True, occurrences=5)])


PLANNING: list[tuple[str, Callable[[Desk], Material] | None, dict[str, Any]]] = [
    ("protected", lambda desk: _live(desk, tags={"driftguard:protected": "yes"}), {}),
    ("protected", None, {"protected_accounts": (ACCOUNT,)}),
    ("protected", None, {"protected_types": ("AWS::CloudWatch::*",)}),
    ("owned-elsewhere", owned, {}),
    ("would-replace", create_only, {}),
    ("stack-in-progress", busy, {}),
    ("flapping", flapping, {}),
    ("document-not-allowed", None, {"documents": ("AWS-*",)}),
]


@pytest.mark.parametrize(("guard", "material", "settings"), PLANNING)
def test_a_step_is_refused_while_planning(
    desk: Desk, guard: str, material: Callable[[Desk], Material] | None, settings: dict[str, Any]
) -> None:
    before = desk.shop.mutations()
    desk.refused(desk.plan(material(desk) if material else None, **settings), guard, **settings)
    assert desk.shop.mutations() == before  # nor does planning


def test_a_secret_never_goes_into_a_plan_and_is_put_back_by_cloudformation(desk: Desk) -> None:
    [step] = desk.plan(secret(desk)).steps
    assert step.action == "REVERT_DRIFT"


def test_no_more_than_the_settings_allow_of_a_type(desk: Desk) -> None:
    inventory = {(ACCOUNT, desk.finding.key.type): 20}
    made = desk.plan(replace(desk.material, inventory=inventory), max_percent_of_type=1)
    assert "more than 1 % of the 20" in desk.refused(made, "too-many", max_percent_of_type=1).why


LOGS = ResourceKey(account=ACCOUNT, region=REGION, type="AWS::Logs::LogGroup", identifier="audit")
KEPT = "CW_LOGGROUP_RETENTION_PERIOD_CHECK"


def fault(desk: Desk, **more: Any) -> Material:
    """A log group that keeps its events too short a time; the remedy deletes what is older than a year."""
    found = replace(
        desk.finding, fingerprint="f-logs", kind=FindingKind.COMPLIANCE, key=LOGS, subject=KEPT, logical_id="", stack=""
    )  # fmt: skip
    live = Resource(
        key=LOGS, properties={"LogGroupName": "audit"}, source=Source.CLOUD_CONTROL, state_hash="h"
    )
    return Material(now=desk.wiring.clock(), findings=[found], resources={LOGS: live}, **more)


def test_what_deletes_needs_an_explicit_word(desk: Desk) -> None:
    remedies, settings = desk.wiring.remedies, desk.settings()
    refused = plan(fault(desk), remedies, settings, wishes())
    desk.refused(refused, "deletes")
    [step] = plan(fault(desk), remedies, settings, wishes(allow_deletes=True)).steps
    assert step.deletes


def test_a_template_that_would_undo_the_cure_is_what_has_to_change(desk: Desk) -> None:
    declared = DeclaredResource(
        type=LOGS.type, logical_id="Audit", properties={"LogGroupName": "audit", "RetentionInDays": 7},
        account=ACCOUNT, region=REGION, stack_id="s", stack_name="audit", physical_id="audit", identifier="audit",
    )  # fmt: skip
    stack = StackState(account=ACCOUNT, region=REGION, stack_id="s", name="audit", status="CREATE_COMPLETE")
    known: dict[str, Any] = {"declared": {LOGS: declared}, "stacks": {"s": stack}}
    remedies, settings = desk.wiring.remedies, desk.settings()
    unread = plan(fault(desk, **known), remedies, settings, wishes(allow_deletes=True))
    desk.refused(unread, "template-would-undo")
    text = "Resources:\n  Audit:\n    Type: AWS::Logs::LogGroup\n    Properties: {LogGroupName: audit, RetentionInDays: 7}\n"
    known["templates"] = {"s": TemplateText(file="audit.yaml", text=text)}
    [step] = plan(fault(desk, **known), remedies, settings, wishes()).steps
    assert (
        step.action == "TEMPLATE_PATCH"
        and "+    Properties: {LogGroupName: audit, RetentionInDays: 365}" in (step.parameters["Diff"])
    )


def test_what_another_stack_attaches_is_not_overwritten(desk: Desk) -> None:
    group = replace(LOGS, type="AWS::EC2::SecurityGroup", identifier="sg-1")
    rule = replace(LOGS, type="AWS::EC2::SecurityGroupIngress", identifier="sgr-1")
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}
    one = DeclaredResource(
        type=group.type, logical_id="Group", properties={"GroupDescription": "g", "SecurityGroupIngress": []},
        account=ACCOUNT, region=REGION, stack_id="s", stack_name="net", physical_id="sg-1", identifier="sg-1",
    )  # fmt: skip
    other = replace(
        one, type=rule.type, logical_id="Rule", properties={"GroupId": "sg-1", **ssh}, stack_id="t",
        stack_name="app", physical_id="sgr-1", identifier="sgr-1",
    )  # fmt: skip
    added = PropertyDifference(
        path="/SecurityGroupIngress/0", expected=None, actual=ssh, type=DifferenceType.ADD
    )
    drift = Drift(
        key=group, status=DriftStatus.MODIFIED, logical_id="Group", stack="net", stack_id="s", differences=(added,)
    )  # fmt: skip
    found = replace(desk.finding, fingerprint="f-group", key=group, subject=added.path, logical_id="Group")
    live = Resource(
        key=group, properties={**one.properties, "SecurityGroupIngress": [ssh]},
        source=Source.CLOUD_CONTROL, state_hash="h",
    )  # fmt: skip
    material = Material(
        now=desk.wiring.clock(), findings=[found], resources={group: live}, drifts={group: drift},
        declared={group: one, rule: other},
    )  # fmt: skip
    made = plan(material, desk.wiring.remedies, desk.settings(), wishes(cures={"f-group": Cure.REVERT}))
    desk.refused(made, "attached-elsewhere")


# -- at the start


def frozen(desk: Desk) -> dict[str, Any]:
    now = desk.wiring.clock()
    window = Freeze(start=now - timedelta(hours=1), end=now + timedelta(hours=1), reason="the sale")
    return {"freezes": (window,)}


STARTING: list[tuple[str, Callable[[Desk], dict[str, Any]]]] = [
    ("freeze", frozen),
    ("calendar", lambda desk: {"calendars": ("calendar-open", "calendar-closed")}),
    ("calendar", lambda desk: {"calendars": ("calendar-nobody-made",)}),
    ("protected", lambda desk: {"protected_accounts": (ACCOUNT,)}),
    ("document", lambda desk: {"documents": ("AWS-*",)}),
]


@pytest.mark.parametrize(("guard", "settings"), STARTING)
def test_a_step_is_refused_at_the_start(
    desk: Desk, guard: str, settings: Callable[[Desk], dict[str, Any]]
) -> None:
    made, before = approve(desk.wiring, desk.plan()), desk.shop.mutations()
    [row] = desk.apply(made, **settings(desk)).executions
    assert row.status == "REFUSED" and row.detail.endswith(f"({guard})"), row.detail
    assert desk.shop.mutations() == before


def test_an_open_calendar_lets_a_step_go_on_to_its_next_guard(desk: Desk) -> None:
    made, before = approve(desk.wiring, desk.plan()), desk.shop.mutations()
    [row] = desk.apply(made, calendars=("calendar-open",), documents=()).executions
    assert row.detail.endswith("(document)")
    assert desk.shop.mutations() == before


def test_a_changed_document_is_refused(desk: Desk) -> None:
    ssm = desk.shop.world.client("ssm")
    made = approve(desk.wiring, desk.plan())
    body = desk.wiring.remedies.documents["DriftguardRevertResource"].text
    ssm.update_document(
        Name="DriftguardRevertResource", DocumentVersion="$LATEST", DocumentFormat="YAML",
        Content=body.replace("timeoutSeconds: 1800", "timeoutSeconds: 1799"),
    )  # fmt: skip
    ssm.update_document_default_version(Name="DriftguardRevertResource", DocumentVersion="2")
    before = desk.shop.mutations()
    [row] = desk.apply(made).executions
    ssm.update_document_default_version(Name="DriftguardRevertResource", DocumentVersion="1")
    assert "is not the one that came with driftguard" in row.detail
    assert desk.shop.mutations()[: len(before)] == before
    assert {name for _, name in desk.shop.mutations()[len(before) :]} == {"UpdateDocumentDefaultVersion"}


def test_a_resource_that_moved_since_is_refused(desk: Desk) -> None:
    made = approve(desk.wiring, desk.plan())
    raise_threshold(desk.shop.world, 501)
    before = desk.shop.mutations()
    [row] = desk.apply(made).executions
    assert row.detail.endswith("(moved)")
    assert desk.shop.mutations() == before
    raise_threshold(desk.shop.world, 500)


def test_a_stack_that_nothing_should_be_built_on_is_refused(desk: Desk) -> None:
    """Last of all, as it takes the stack away; its alarm stays by its deletion policy."""
    made = approve(desk.wiring, desk.plan())
    desk.shop.world.client("cloudformation").delete_stack(StackName="shop")
    before = desk.shop.mutations()
    [row] = desk.apply(made).executions
    assert row.detail.endswith("(stack-in-progress)"), row.detail
    assert desk.shop.mutations() == before


def test_a_folder_of_the_desk_is_never_written_by_a_refusal(desk: Desk) -> None:
    assert not (Path(desk.shop.world.folder) / "patches").exists()
