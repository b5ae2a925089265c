"""A stack with two drifts, scanned, and the command line on it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from driftguard.cli.root import cli
from driftguard.scan import scan
from driftguard.wiring import Wiring
from tests.remediation_world import World

TEMPLATE = """\
# The shop's messages.
Resources:
  Orders:  # a topic
    Type: AWS::SNS::Topic
    Properties: {TopicName: orders, DisplayName: Orders}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    DeletionPolicy: Retain
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


def raise_threshold(world: World, value: float) -> None:
    """What somebody does by hand to the alarm."""
    world.client("cloudwatch").put_metric_alarm(
        AlarmName="late", Namespace="shop", MetricName="late", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=value, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip


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
            raise_threshold(world, 500)
            self.findings = {one.logical_id: one for one in scan(opened.job(trigger="test")).findings}

    def run(self, *arguments: str, who: str = "lee", check: bool = True) -> Result:
        result = CliRunner().invoke(
            cli, ["--config", self.config, *arguments], env={"DRIFTGUARD_ACTOR": who}, standalone_mode=False
        )
        if check and result.exception is not None:
            raise result.exception
        return result

    def plan(self, *flags: str) -> Any:
        """The plan for the stack's drift, written to ``plan.json``, as the command prints it."""
        chosen = ("--stack", "shop", "--no-compliance", "--out", "plan.json", "--output", "json")
        return json.loads(self.run("remediate", "plan", *chosen, *flags).stdout)

    def mutations(self) -> list[tuple[str, str]]:
        """(source, name) of every call so far that the trail holds as no mere reading."""
        return [
            (event["EventSource"], event["EventName"])
            for _, _, store in self.world.sandbox.gateway.world.stores("cloudtrail.events")
            for event in store.get("events", [])
            if event.get("ReadOnly") != "true"
        ]
