"""The whole way by the command line: scan, plan, approve, apply, status, rollback; and all three cures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from driftguard.cli.root import cli
from driftguard.errors import RefusedError
from driftguard.model import FindingKind, Severity
from driftguard.model.remediation import Cure
from driftguard.remediation.automatic import choose
from driftguard.sandbox import Sandbox
from driftguard.scan import scan
from driftguard.settings.remediation import AutomaticRule
from driftguard.wiring import Wiring
from tests.remediation_world import World, approve, wishes

TEMPLATE = """\
# The shop's messages.
Resources:
  Orders:  # a topic
    Type: AWS::SNS::Topic
    Properties: {TopicName: orders, DisplayName: Orders}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: late  # who is called
      Namespace: shop
      MetricName: late
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 1
      Threshold: 5
      ComparisonOperator: GreaterThanThreshold
"""


class Shop:
    """A stack with two drifts, scanned."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        config = world.folder / "config.yaml"
        config.write_text(json.dumps(world.settings.model_dump(mode="json")), encoding="utf-8")
        self.config = str(config)
        wiring = Wiring.__init__

        def inside(self_: Wiring, settings: Any, **_: Any) -> None:
            wiring(
                self_,
                settings,
                session_factory=lambda: world.sandbox.session(account="111111111111", principal="driftguard"),
                clock=world.sandbox.clock.now,
            )

        monkeypatch.setattr(Wiring, "__init__", inside)
        world.client("cloudformation").create_stack(StackName="shop", TemplateBody=TEMPLATE)
        with world.wiring() as opened:
            scan(opened.job(trigger="test"))
            arn = "arn:aws:sns:ap-northeast-2:111111111111:orders"
            world.client("sns").set_topic_attributes(
                TopicArn=arn, AttributeName="DisplayName", AttributeValue="By hand"
            )
            world.client("cloudwatch").put_metric_alarm(
                AlarmName="late", Namespace="shop", MetricName="late", Statistic="Sum", Period=60,
                EvaluationPeriods=1, Threshold=500, ComparisonOperator="GreaterThanThreshold",
            )  # fmt: skip
            self.findings = {one.logical_id: one for one in scan(opened.job(trigger="test")).findings}

    def run(self, *arguments: str, who: str = "lee", check: bool = True) -> Result:
        result = CliRunner().invoke(
            cli, ["--config", self.config, *arguments], env={"DRIFTGUARD_ACTOR": who}, standalone_mode=False
        )
        if check and result.exception is not None:
            raise result.exception
        return result


@pytest.fixture
def shop(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.chdir(tmp_path)
    world = World(sandbox, tmp_path, author_may_approve=False)
    world.set_up()
    yield Shop(world, monkeypatch)


def test_revert_by_the_command_line_and_back(shop: Shop) -> None:
    plan = json.loads(
        shop.run("remediate", "plan", "--stack", "shop", "--out", "plan.json", "--output", "json").stdout
    )
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
    shop.run("remediate", "rollback", "plan.json", by_cure["REVERT"]["id"], "--reason", "trying it")
    alarm = shop.world.client("cloudwatch").describe_alarms(AlarmNames=["late"])["MetricAlarms"][0]
    assert alarm["Threshold"] == 500


def test_a_changed_plan_is_refused(shop: Shop) -> None:
    shop.run("remediate", "plan", "--stack", "shop", "--out", "plan.json")
    shop.run("remediate", "approve", "plan.json", "--reason", "agreed", who="kim")
    path = Path("plan.json")
    path.write_text(path.read_text("utf-8").replace('"before": 500', '"before": 501'), "utf-8")
    with pytest.raises(RefusedError, match="changed after it was made"):
        shop.run("remediate", "apply", "plan.json")


def test_a_resource_that_moved_is_refused_and_nothing_starts(shop: Shop) -> None:
    with shop.world.wiring() as wiring:
        finding = shop.findings["Alarm"]
        plan = approve(wiring, wiring.plan([finding], wishes(cures={finding.fingerprint: Cure.REVERT})))
        shop.world.client("cloudwatch").put_metric_alarm(
            AlarmName="late", Namespace="shop", MetricName="late", Statistic="Sum", Period=60,
            EvaluationPeriods=1, Threshold=7, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
        outcome = shop.world.runner(wiring, plan).run()
    assert [one.status.value for one in outcome.executions] == ["REFUSED"]
    assert "changed since the plan was made" in outcome.executions[0].detail
    assert shop.world.client("ssm").describe_automation_executions()["AutomationExecutionMetadataList"] == []


def test_read_only_credentials_plan_but_name_what_apply_lacks(shop: Shop) -> None:
    shop.world.sandbox.faults.add("deny", service="ssm", operation="StartAutomationExecution")
    try:
        with shop.world.wiring() as wiring:
            finding = shop.findings["Alarm"]
            plan = approve(wiring, wiring.plan([finding], wishes(cures={finding.fingerprint: Cure.REVERT})))
            outcome = shop.world.runner(wiring, plan).run()
    finally:
        shop.world.sandbox.faults.clear()
    assert [one.status.value for one in outcome.executions] == ["FAILED"]
    assert "Missing action: ssm:StartAutomationExecution" in outcome.executions[0].detail


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
