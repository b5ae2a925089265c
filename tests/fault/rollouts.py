"""Fifty topics that a plan encrypts, applied in this process or in one that dies on the way.

Time is the sandbox's own, so that pauses cost nothing.  What runs in a process of its own reaches the sandbox
over HTTP, as driftguard reaches AWS.
"""

from __future__ import annotations

import os
import signal
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from driftguard.errors import GoneError
from driftguard.live import cloud_control
from driftguard.model import Finding, FindingKind, FindingStatus, Severity, fingerprint
from driftguard.model.remediation import Execution, ExecutionStatus, Plan
from driftguard.remediation import Material, plan
from driftguard.remediation.control import AuditSwitch
from driftguard.remediation.hands import AwsHands
from driftguard.remediation.results import Outcome
from driftguard.remediation.runner import Runner
from driftguard.rules import JudgeContext, Neighbours
from driftguard.settings import Settings
from driftguard.wiring import Wiring, _Time
from tests.remediation_world import ACCOUNT, REGION, World, approve, key_of, wishes

POLICY = "SNS_ENCRYPTED_KMS"
TYPE = "AWS::SNS::Topic"
COUNT = 50
OWN = {"TwoThenThirds": {"first_percent": 4, "then_percent": 33, "pause_minutes": 2}}
STRATEGIES = (
    "OneAtATime",
    "HalfAtATime",
    "AllAtOnce",
    "Canary10Percent5Minutes",
    "Linear10PercentEvery1Minute",
    *OWN,
)
ENDED = {"VERIFIED", "RAN_NOT_FIXED", "FAILED", "ROLLED_BACK", "REFUSED", "SKIPPED"}


class FreshEyes:
    """Reads a topic with Cloud Control and judges it; no inventory is needed for this policy."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    def read(self, key: Any) -> Any:
        try:
            return cloud_control.read(self._wiring.aws.place(ACCOUNT, REGION), key.type, key.identifier)
        except GoneError:
            return None

    def accept(self, step: Any, live: Any) -> None:
        """Nothing of these topics is declared."""

    def judge(self, step: Any, live: Any) -> tuple[bool | None, str]:
        context = JudgeContext(now=self._wiring.clock(), neighbours=Neighbours([live]))
        found = next(one for one in self._wiring.catalogue.evaluate(live, context) if one.policy == POLICY)
        return found.compliance == "COMPLIANT", f"{POLICY} is {found.compliance}."


def runner(wiring: Wiring, made: Plan, sleep: Callable[[float], object], ledger: Any = None) -> Runner:
    """What applies the plan, with the real hands and the real store."""
    settings = wiring.settings.remediation
    hands = AwsHands(lambda key: wiring.aws.place(key.account, REGION), wiring.remedies.documents, settings)
    return Runner(
        made,
        settings=settings,
        ledger=ledger or wiring.store,
        eyes=FreshEyes(wiring),
        hands=hands,
        desk=None,  # type: ignore[arg-type]  # nothing in this plan is for it
        switch=AuditSwitch(wiring.store, made.id),
        clock=_Time(wiring.clock, sleep),
        actor="test",
    )


class Dying:
    """A store whose process is killed just after SSM started a step and before that is written down."""

    def __init__(self, store: Any, starts: int) -> None:
        self._store = store
        self._left = starts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def update_execution(self, execution: Execution) -> None:
        if execution.status is ExecutionStatus.STARTED:
            self._left -= 1
            if self._left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        self._store.update_execution(execution)


class DyingAtRollback(Dying):
    """A store whose process is killed just after it wrote that a step failed, before it is rolled back."""

    def update_execution(self, execution: Execution) -> None:
        self._store.update_execution(execution)
        if execution.status is ExecutionStatus.ROLLING_BACK:
            os.kill(os.getpid(), signal.SIGKILL)


AT_ROLLBACK = -1


def in_another_process(
    environment: Mapping[str, str], settings: dict[str, Any], plan_id: str, starts: int | None
) -> None:
    """Apply a plan against the sandbox's address; the process kills itself with -9 after ``starts`` steps, or
    `AT_ROLLBACK`."""
    os.environ.update(environment)
    passed = timedelta()

    def sleep(seconds: float) -> None:
        nonlocal passed
        passed += timedelta(seconds=seconds)
        body = f'{{"advance": {seconds}}}'.encode()
        request = urllib.request.Request(
            f"{environment['AWS_ENDPOINT_URL']}/_sandbox/clock", data=body, method="POST"
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
        time.sleep(0.01)

    start = datetime.fromisoformat(environment["SANDBOX_NOW"])
    began = datetime.now(UTC)
    with Wiring(
        Settings.model_validate(settings), clock=lambda: start + (datetime.now(UTC) - began) + passed
    ) as wiring:
        made = wiring.store.plan(plan_id)
        assert made is not None
        dying = DyingAtRollback if starts == AT_ROLLBACK else Dying
        ledger = None if starts is None else dying(wiring.store, starts)
        runner(wiring, made, sleep, ledger).run()


@dataclass
class Stage:
    """A plan for fifty topics, and a way to apply it as often as it takes."""

    world: World
    wiring: Wiring
    plan: Plan

    def apply(self, sleep: Callable[[float], object] | None = None) -> Outcome:
        return runner(self.wiring, self.plan, sleep or self.world.sleep).run()

    def started(self) -> Counter[str]:
        """How often each topic's automation was started, as SSM itself tells it; rollbacks aside."""
        ssm = self.world.client("ssm")
        found: Counter[str] = Counter()
        for page in ssm.get_paginator("describe_automation_executions").paginate():
            for row in page["AutomationExecutionMetadataList"]:
                full = ssm.get_automation_execution(AutomationExecutionId=row["AutomationExecutionId"])
                given = full["AutomationExecution"]["Parameters"]
                if "TopicArn" in given:
                    found[given["TopicArn"][0].rsplit(":", 1)[1]] += 1
        return found

    def encrypted(self, arn: str) -> bool:
        found = self.world.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
        return bool(found.get("KmsMasterKeyId"))

    def by_name(self, executions: tuple[Execution, ...]) -> dict[str, Execution]:
        names = {step.id: step.key.identifier.rsplit(":", 1)[1] for step in self.plan.steps}
        return {names[one.step]: one for one in executions}

    def check(self, executions: tuple[Execution, ...]) -> Counter[str]:
        """What holds after every story."""
        counts = Counter(one.status.value for one in executions)
        assert [one.step for one in executions] == [step.id for step in self.plan.steps]
        assert set(counts) <= ENDED, counts
        started = self.started()
        assert set(started.values()) <= {1}, started
        keys = {step.id: step.key.identifier for step in self.plan.steps}
        for one in executions:
            fixed = one.status is ExecutionStatus.VERIFIED
            assert self.encrypted(keys[one.step]) is fixed, one
            assert one.detail, one
            assert fixed <= (keys[one.step].rsplit(":", 1)[1] in started), one
        written = {one.step: one.status for one in self.wiring.store.executions(self.plan.id)}
        assert written == {one.step: one.status for one in executions}
        return counts


def stage(world: World, wiring: Wiring, rollout: str, count: int = COUNT) -> Stage:
    """Topics without encryption, and an approved plan for them."""
    world.set_up()
    eyes, resources, findings, now = FreshEyes(wiring), {}, [], wiring.clock()
    for number in range(count):
        arn = world.client("sns").create_topic(Name=f"topic-{number:02d}")["TopicArn"]
        key = key_of(TYPE, arn)
        resources[key] = eyes.read(key)
        findings.append(
            Finding(
                fingerprint=fingerprint(FindingKind.COMPLIANCE, key, POLICY),
                kind=FindingKind.COMPLIANCE,
                key=key,
                subject=POLICY,
                severity=Severity.MEDIUM,
                title="Topics are encrypted",
                status=FindingStatus.NEW,
                first_seen=now,
                last_seen=now,
            )
        )
    material = Material(now=now, findings=findings, resources=resources)
    made = plan(material, wiring.remedies, world.settings.remediation, wishes(rollout=rollout))
    assert len(made.steps) == count, made.refused
    return Stage(world, wiring, approve(wiring, made))
