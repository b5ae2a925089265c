"""The whole way by the command line: scan, plan, approve, apply, status, rollback; and all three cures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from driftguard.errors import RefusedError
from driftguard.model import FindingKind, Severity
from driftguard.model.remediation import Cure
from driftguard.remediation.automatic import choose
from driftguard.sandbox import Sandbox
from driftguard.scan import scan
from driftguard.settings.remediation import AutomaticRule
from tests.remediation_shop import Shop, raise_threshold
from tests.remediation_world import World, approve, wishes


@pytest.fixture
def shop(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    world = World(sandbox, tmp_path, policies=("SNS_ENCRYPTED_KMS",), author_may_approve=False)
    world.set_up()
    yield Shop(world, monkeypatch)


def test_revert_by_the_command_line_and_back(shop: Shop) -> None:
    plan = shop.plan()
    by_cure = {step["cure"]: step for step in plan["steps"]}
    assert by_cure["REVERT"]["expected"] == [{"path": "/Threshold", "before": 500, "after": 5}]
    assert by_cure["ADOPT"]["parameters"]["Diff"].count("\n+") == 2

    with pytest.raises(RefusedError, match="needs 1 approval"):
        shop.run("remediate", "apply", "plan.json")
    with pytest.raises(RefusedError, match="may not approve"):
        shop.run("remediate", "approve", "plan.json", "--reason", "it is mine")
    shop.run("remediate", "approve", "plan.json", "--reason", "agreed", "--ticket", "OPS-1", who="kim")

    said = json.loads(shop.run("remediate", "apply", "plan.json", "--output", "json").stdout)
    assert {row["status"] for row in said["executions"]} == {"VERIFIED"}
    patched = next(Path("driftguard-patches").glob("*.yaml")).read_text("utf-8")
    assert (
        "DisplayName: By hand" in patched and "# a topic" in patched and "# The shop's messages." in patched
    )

    shop.world.client("cloudformation").update_stack(StackName="shop", TemplateBody=patched)
    with shop.world.wiring() as wiring:
        report = scan(wiring.job(trigger="test"))
    assert [one for one in report.findings if one.kind is FindingKind.DRIFT] == []

    assert "2 VERIFIED" in shop.run("remediate", "status", plan["id"]).stdout
    raise_threshold(shop.world, 9)
    late = shop.run("remediate", "rollback", "plan.json", by_cure["REVERT"]["id"], "--reason", "too late")
    assert "/Threshold was changed again since" in " ".join(late.stdout.split())
    assert "Not rolled back" in late.stdout and "2 VERIFIED" in late.stdout
    assert (
        shop.world.client("cloudwatch").describe_alarms(AlarmNames=["late"])["MetricAlarms"][0]["Threshold"]
        == 9
    )
    raise_threshold(shop.world, 5)
    back = shop.run("remediate", "rollback", "plan.json", "--reason", "trying it").stdout
    told = " ".join(back.split())
    assert "1 ROLLED_BACK, 1 VERIFIED" in told and "as its template declares it" not in told
    assert "It changed nothing in AWS: leave its patch out" in told
    listed = shop.run("remediate", "status").stdout
    assert "1 ROLLED_BACK, 1 VERIFIED" in listed and "approved" not in listed
    (listing,) = json.loads(shop.run("remediate", "status", "--output", "json").stdout)
    assert listing["approved"] and listing["counts"] == {"ROLLED_BACK": 1, "VERIFIED": 1}
    alarm = shop.world.client("cloudwatch").describe_alarms(AlarmNames=["late"])["MetricAlarms"][0]
    assert alarm["Threshold"] == 500


def test_a_changed_plan_is_refused(shop: Shop) -> None:
    shop.plan()
    shop.run("remediate", "approve", "plan.json", "--reason", "agreed", who="kim")
    path = Path("plan.json")
    path.write_text(path.read_text("utf-8").replace('"before": 500', '"before": 501'), "utf-8")
    with pytest.raises(RefusedError, match="changed after it was made"):
        shop.run("remediate", "apply", "plan.json")


def test_a_resource_that_moved_is_refused_and_nothing_starts(shop: Shop) -> None:
    with shop.world.wiring() as wiring:
        finding = shop.findings["Alarm"]
        plan = approve(wiring, wiring.plan([finding], wishes(cures={finding.fingerprint: Cure.REVERT})))
        raise_threshold(shop.world, 7)
        outcome = shop.world.runner(wiring, plan).run()
    assert [one.status.value for one in outcome.executions] == ["REFUSED"]
    assert "changed since the plan was made" in outcome.executions[0].detail
    assert shop.world.client("ssm").describe_automation_executions()["AutomationExecutionMetadataList"] == []


WRITES = (
    ("ssm", "StartAutomationExecution"),
    ("ssm", "StopAutomationExecution"),
    ("cloudformation", "CreateChangeSet"),
    ("cloudformation", "ExecuteChangeSet"),
    ("cloudcontrol", "UpdateResource"),
    ("cloudcontrol", "CreateResource"),
)


def test_with_read_only_credentials_everything_but_apply_works(shop: Shop) -> None:
    for service, operation in WRITES:
        shop.world.sandbox.faults.add("deny", service=service, operation=operation)
    before = shop.mutations()
    try:
        plan = shop.plan()
        assert "Nothing has been done" in shop.run("remediate", "show", "plan.json").stdout
        assert "Why it is safe" in shop.run("remediate", "show", plan["id"], "--full").stdout
        shop.run("remediate", "approve", "plan.json", "--reason", "agreed", who="kim")
        assert plan["id"] in shop.run("remediate", "status").stdout
        assert "NOT STARTED" in shop.run("remediate", "status", plan["id"]).stdout
        assert "rehearsals" in shop.run("remediate", "rehearsal").stdout
        assert "AWS::SSM::Document" in shop.run("remediate", "setup").stdout
        assert "remedies" in shop.run("remediate", "import").stdout
        assert shop.mutations() == before

        applied = shop.run("remediate", "apply", "plan.json", "--output", "json", check=False)
        rows = {row["step"]: row for row in json.loads(applied.stdout)["executions"]}
    finally:
        shop.world.sandbox.faults.clear()
    [denied] = [step["id"] for step in plan["steps"] if step["action"] == "SSM_AUTOMATION"]
    assert rows[denied]["status"] == "FAILED"
    assert "Missing action: ssm:StartAutomationExecution" in rows[denied]["detail"]
    assert [call for call in shop.mutations()[len(before) :] if "Denied" not in str(call)] in (
        [], [("ssm.amazonaws.com", "StartAutomationExecution")]
    )  # fmt: skip
    assert shop.world.client("ssm").describe_automation_executions()["AutomationExecutionMetadataList"] == []


def test_accept_is_a_waiver_and_the_finding_is_suppressed(shop: Shop) -> None:
    with shop.world.wiring() as wiring:
        finding = shop.findings["Alarm"]
        plan = approve(wiring, wiring.plan([finding], wishes(cures={finding.fingerprint: Cure.ACCEPT})))
        outcome = shop.world.runner(wiring, plan).run()
        assert outcome.clean
        after = {one.fingerprint: one for one in scan(wiring.job(trigger="test")).findings}
    assert after[finding.fingerprint].status == "SUPPRESSED"


def test_a_rehearsal_changes_nothing_and_is_shown(shop: Shop) -> None:
    shop.world.settings = shop.world.settings.model_copy(
        update={
            "remediation": shop.world.settings.remediation.model_copy(
                update={"automatic": (AutomaticRule(drift=True, severities=("MEDIUM", "HIGH", "LOW")),)}
            )
        }
    )
    with shop.world.wiring() as wiring:
        plan, outcome = wiring.automatic(list(shop.findings.values()), patches=Path("patches"))
    assert plan is None and outcome is None
    assert shop.world.client("ssm").describe_automation_executions()["AutomationExecutionMetadataList"] == []
    said = shop.run("remediate", "rehearsal").stdout
    assert "1 rehearsals" in said and "DriftguardRevertResource" in said


def test_automation_is_off_unless_a_rule_says_so(shop: Shop) -> None:
    findings = list(shop.findings.values())
    assert choose(findings, ()).act == choose(findings, ()).rehearse == ()
    rule = AutomaticRule(drift=True, rehearsal=False, severities=(Severity.MEDIUM.value,))
    assert {one.severity for one in choose(findings, (rule,)).act} <= {Severity.MEDIUM}
