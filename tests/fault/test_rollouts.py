"""Fifty buckets, every rollout, and everything that can go wrong on the way.

Whatever happens: nothing is started twice, nothing is unaccounted for, and every resource ends as fixed, rolled
back or named.  Time is the sandbox's own, so that pauses cost nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from driftguard.model import Finding, FindingKind, FindingStatus, Severity, fingerprint
from driftguard.model.remediation import Execution, ExecutionStatus, Plan
from driftguard.remediation import Material, plan
from driftguard.remediation.control import AuditSwitch
from driftguard.remediation.hands import AwsHands
from driftguard.remediation.results import Outcome
from driftguard.remediation.runner import Runner
from driftguard.rules import JudgeContext, Neighbours
from driftguard.sandbox import Sandbox
from driftguard.wiring import Wiring, _Time
from tests.remediation_world import ACCOUNT, REGION, World, approve, key_of, wishes

POLICY = "S3_BUCKET_VERSIONING_ENABLED"
COUNT = 50
STRATEGIES = (
    "OneAtATime",
    "HalfAtATime",
    "AllAtOnce",
    "Canary10Percent5Minutes",
    "Linear10PercentEvery1Minute",
)
ENDED = {"VERIFIED", "RAN_NOT_FIXED", "FAILED", "ROLLED_BACK", "REFUSED", "SKIPPED"}


class Killed(BaseException):
    """Stands for kill -9: nothing of ours runs after it."""


class FreshEyes:
    """Reads a bucket with Cloud Control and judges it; no inventory is needed for this policy."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    def read(self, key: Any) -> Any:
        from driftguard.errors import GoneError
        from driftguard.live import cloud_control

        try:
            return cloud_control.read(self._wiring.aws.place(ACCOUNT, REGION), key.type, key.identifier)
        except GoneError:
            return None

    def accept(self, step: Any, live: Any) -> None:
        """Nothing of these buckets is declared."""

    def judge(self, step: Any, live: Any) -> tuple[bool | None, str]:
        context = JudgeContext(now=self._wiring.clock(), neighbours=Neighbours([live]))
        found = next(one for one in self._wiring.catalogue.evaluate(live, context) if one.policy == POLICY)
        return found.compliance == "COMPLIANT", f"{POLICY} is {found.compliance}."


@dataclass
class Stage:
    """A plan for fifty buckets, and a way to apply it as often as it takes."""

    world: World
    wiring: Wiring
    plan: Plan
    ledger: Any = None
    alarms: tuple[str, ...] = ()
    starts: Counter[str] = field(default_factory=Counter)

    def apply(self, ledger: Any = None, sleep: Callable[[float], object] | None = None) -> Outcome:
        settings = self.world.settings.remediation
        hands = AwsHands(
            lambda key: self.wiring.aws.place(key.account, REGION), self.wiring.remedies.documents, settings
        )
        return Runner(
            self.plan,
            settings=settings,
            ledger=ledger or self.wiring.store,
            eyes=FreshEyes(self.wiring),
            hands=hands,
            desk=None,  # type: ignore[arg-type]  # nothing in this plan is for it
            switch=AuditSwitch(self.wiring.store, self.plan.id),
            clock=_Time(self.wiring.clock, sleep or self.world.sleep),
            actor="test",
        ).run()

    def started(self) -> Counter[str]:
        """How often each bucket's automation was started, as SSM itself tells it."""
        found: Counter[str] = Counter()
        pages = self.world.client("ssm").get_paginator("describe_automation_executions")
        for page in pages.paginate():
            for row in page["AutomationExecutionMetadataList"]:
                full = self.world.client("ssm").get_automation_execution(
                    AutomationExecutionId=row["AutomationExecutionId"]
                )["AutomationExecution"]
                found[full["Parameters"].get("BucketName", ["a rollback"])[0]] += 1
        return found

    def versioned(self, name: str) -> bool:
        return self.world.client("s3").get_bucket_versioning(Bucket=name).get("Status") == "Enabled"

    def check(self, executions: tuple[Execution, ...]) -> Counter[str]:
        """What holds after every story."""
        counts = Counter(one.status.value for one in executions)
        assert {one.step for one in executions} == {step.id for step in self.plan.steps}
        assert set(counts) <= ENDED, counts
        names = {step.id: step.key.identifier for step in self.plan.steps}
        twice = {name: n for name, n in self.started().items() if n > 1 and name != "a rollback"}
        assert not twice, twice
        for one in executions:
            fixed = one.status is ExecutionStatus.VERIFIED
            assert self.versioned(names[one.step]) is fixed, one
            assert one.detail, one
        assert [one.status for one in self.wiring.store.executions(self.plan.id)]
        return counts


@pytest.fixture
def stage(sandbox: Sandbox, tmp_path: Path) -> Any:
    opened: list[Wiring] = []

    def made(rollout: str, count: int = COUNT, **settings: Any) -> Stage:
        limits = {"max_per_account": 500, "max_per_type": 500, "max_per_run": 500, "max_percent_of_type": 100}
        world = World(sandbox, tmp_path, **{**limits, "concurrency": 25, "verify_minutes": 0, **settings})
        world.set_up()
        wiring = world.wiring()
        opened.append(wiring)
        eyes, resources, findings, now = FreshEyes(wiring), {}, [], wiring.clock()
        for number in range(count):
            name = f"bucket-{number:02d}"
            here = {"LocationConstraint": REGION}
            world.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=here)
            key = key_of("AWS::S3::Bucket", name)
            resources[key] = eyes.read(key)
            findings.append(
                Finding(
                    fingerprint=fingerprint(FindingKind.COMPLIANCE, key, POLICY),
                    kind=FindingKind.COMPLIANCE,
                    key=key,
                    subject=POLICY,
                    severity=Severity.MEDIUM,
                    title="S3 buckets keep versions",
                    status=FindingStatus.NEW,
                    first_seen=now,
                    last_seen=now,
                )
            )
        material = Material(now=now, findings=findings, resources=resources)
        found = plan(material, wiring.remedies, world.settings.remediation, wishes(rollout=rollout))
        assert len(found.steps) == count, found.refused
        return Stage(world, wiring, approve(wiring, found))

    yield made
    for wiring in opened:
        wiring.close()


@pytest.mark.parametrize("rollout", STRATEGIES)
def test_throttled_denied_and_slow_all_the_same(stage: Any, rollout: str) -> None:
    """Throttling is waited out, a denial is named, and the other buckets are fixed."""
    at = stage(rollout, max_errors=COUNT)
    faults = at.world.sandbox.faults
    faults.add("throttle", service="ssm", operation="StartAutomationExecution", every=7)
    faults.add("deny", service="ssm", operation="StartAutomationExecution", resource="bucket-13")
    faults.add("deny", service="s3", operation="PutBucketVersioning", resource="bucket-21", internal=True)
    outcome = at.apply()
    faults.clear()
    counts = at.check(outcome.executions)
    by_name = {
        step.key.identifier: one
        for step in at.plan.steps
        for one in outcome.executions
        if one.step == step.id
    }
    assert by_name["bucket-13"].status == "FAILED"
    assert "ssm:StartAutomationExecution" in by_name["bucket-13"].detail
    assert by_name["bucket-21"].status == "FAILED"
    assert counts["VERIFIED"] == COUNT - 2


@pytest.mark.parametrize("rollout", STRATEGIES)
def test_killed_between_start_and_record(stage: Any, rollout: str) -> None:
    """Killed after SSM started a step and before that was written: the next run finds it by its token."""
    at = stage(rollout)
    store = at.wiring.store

    class Dying:
        """The store, until the machine dies under it."""

        def __init__(self, after: int) -> None:
            self.left = after

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def update_execution(self, execution: Execution) -> None:
            if execution.status is ExecutionStatus.STARTED:
                self.left -= 1
                if self.left < 0:
                    raise Killed
            store.update_execution(execution)

    for after in (0, 3, 9):
        with pytest.raises(Killed):
            at.apply(ledger=Dying(after))
        at.world.sleep(5)
    outcome = at.apply()
    assert at.check(outcome.executions) == {"VERIFIED": COUNT}
    assert sum(at.started().values()) == COUNT


@pytest.mark.parametrize("rollout", ["HalfAtATime", "Canary10Percent5Minutes", "Linear10PercentEvery1Minute"])
def test_an_alarm_stops_the_rest(stage: Any, rollout: str) -> None:
    """An alarm that is raised while the first wave is watched: nothing more is started, and all is said."""
    at = stage(rollout, alarms=["shop-errors"])
    watch = at.world.client("cloudwatch")
    watch.put_metric_alarm(
        AlarmName="shop-errors", Namespace="shop", MetricName="errors", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    watch.set_alarm_state(AlarmName="shop-errors", StateValue="OK", StateReason="calm")
    first = {"HalfAtATime": 25, "Canary10Percent5Minutes": 5, "Linear10PercentEvery1Minute": 5}[rollout]

    def sleep(seconds: float) -> None:
        watch.set_alarm_state(AlarmName="shop-errors", StateValue="ALARM", StateReason="errors")
        at.world.sleep(seconds)

    outcome = at.apply(sleep=sleep)
    assert "shop-errors" in outcome.stopped
    counts = at.check(outcome.executions)
    assert 0 < counts["VERIFIED"] <= first and counts["SKIPPED"] == COUNT - counts["VERIFIED"]


def test_success_that_fixes_nothing_stops_at_the_first(stage: Any) -> None:
    """A document that succeeds without fixing counts as an error, and the default allows none."""
    at = stage("OneAtATime")
    at.plan = approve(at.wiring, pretending(at))
    outcome = at.apply()
    counts = Counter(one.status.value for one in outcome.executions)
    assert counts == {"RAN_NOT_FIXED": 1, "SKIPPED": COUNT - 1}
    assert "the plan allows 0" in outcome.stopped


def pretending(at: Stage) -> Plan:
    """The same plan with a document that only says that it did something."""
    from dataclasses import replace

    from driftguard.remediation.seal import seal

    body = {
        "schemaVersion": "0.3",
        "parameters": {"BucketName": {"type": "String"}, "VersioningState": {"type": "String"},
                       "AutomationAssumeRole": {"type": "String"}},
        "mainSteps": [{"name": "Rest", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}}],
    }  # fmt: skip
    at.world.client("ssm").create_document(
        Name="DriftguardPretend", DocumentType="Automation", DocumentFormat="JSON", Content=json.dumps(body)
    )
    steps = tuple(replace(step, target="DriftguardPretend") for step in at.plan.steps)
    return seal(replace(at.plan, id="pretending", steps=steps, approvals=()))


def test_a_step_that_never_ends_is_stopped_and_named(stage: Any) -> None:
    at = stage("AllAtOnce", 5, step_timeout_minutes=2, max_errors=5)
    at.world.sandbox.timing["automation_sleep_scale"] = 1.0
    body = {
        "schemaVersion": "0.3",
        "parameters": {"BucketName": {"type": "String"}, "VersioningState": {"type": "String"},
                       "AutomationAssumeRole": {"type": "String"}},
        "mainSteps": [{"name": "Rest", "action": "aws:sleep", "inputs": {"Duration": "P1D"}}],
    }  # fmt: skip
    at.world.client("ssm").create_document(
        Name="DriftguardEndless", DocumentType="Automation", DocumentFormat="JSON", Content=json.dumps(body)
    )
    from dataclasses import replace

    from driftguard.remediation.seal import seal

    steps = tuple(replace(step, target="DriftguardEndless") for step in at.plan.steps)
    at.plan = approve(at.wiring, seal(replace(at.plan, id="endless", steps=steps, approvals=())))
    outcome = at.apply()
    assert {one.status.value for one in outcome.executions} == {"FAILED"}
    assert all("did not end within 2 minutes and was stopped" in one.detail for one in outcome.executions)


def test_pause_and_resume_start_nothing_twice(stage: Any) -> None:
    at = stage("HalfAtATime", 20)
    ticks = Counter[str]()

    def sleep(seconds: float) -> None:
        ticks["n"] += 1
        if ticks["n"] == 1:
            at.wiring.store.audit("kim", "plan.pause", at.plan.id, {})
        at.world.sleep(seconds)

    paused = at.apply(sleep=sleep)
    assert paused.paused and len(paused.executions) < 20
    at.wiring.store.audit("kim", "plan.resume", at.plan.id, {})
    assert at.check(at.apply().executions) == {"VERIFIED": 20}


def test_abort_leaves_a_reason_for_every_step(stage: Any) -> None:
    at = stage("Linear10PercentEvery1Minute", 20)
    at.wiring.store.audit("kim", "plan.abort", at.plan.id, {})
    outcome = at.apply()
    assert at.check(outcome.executions) == {"SKIPPED": 20}
    assert all("aborted" in one.detail for one in outcome.executions)
