"""Fifty resources, every rollout, and everything that can go wrong on the way.

Whatever happens: nothing is started twice, nothing is unaccounted for, and every resource ends as fixed, rolled
back or named.
"""

from __future__ import annotations

import json
import multiprocessing
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from driftguard.model.remediation import Change, Plan, Step
from driftguard.remediation.seal import seal
from driftguard.sandbox import Sandbox
from driftguard.wiring import Wiring
from tests.fault.rollouts import AT_ROLLBACK, COUNT, OWN, POLICY, STRATEGIES, Stage, in_another_process, stage
from tests.remediation_world import World, approve

MARK = "<absent>"
PROCESSES = multiprocessing.get_context("forkserver")


@pytest.fixture
def made(sandbox: Sandbox, tmp_path: Path) -> Iterator[Any]:
    opened: list[Wiring] = []

    def make(rollout: str, count: int = COUNT, **settings: Any) -> Stage:
        limits = {"max_per_account": 500, "max_per_type": 500, "max_per_run": 500, "max_percent_of_type": 100}
        key = f"arn:aws:kms:ap-northeast-2:111111111111:key/{'1' * 8}-1111-1111-1111-{'1' * 12}"
        world = World(
            sandbox,
            tmp_path,
            policies=(POLICY,),
            **{
                **limits, "concurrency": 25, "verify_minutes": 0, "rollouts": OWN, "inputs": {"TopicKmsKey": key},
                **settings,
            },
        )  # fmt: skip
        opened.append(world.wiring())
        return stage(world, opened[-1], rollout, count)

    yield make
    for wiring in opened:
        wiring.close()


def document(at: Stage, name: str, *steps: dict[str, Any]) -> str:
    """An automation of our own, with the parameters of the one that it stands in for."""
    names = list(at.plan.steps[0].parameters)
    body = {
        "schemaVersion": "0.3",
        "assumeRole": "{{ AutomationAssumeRole }}",
        "parameters": {one: {"type": "String"} for one in names},
        "mainSteps": list(steps),
    }
    at.world.client("ssm").create_document(
        Name=name, DocumentType="Automation", DocumentFormat="JSON", Content=json.dumps(body)
    )
    return name


def idle(at: Stage, name: str, duration: str) -> str:
    return document(at, name, {"name": "Rest", "action": "aws:sleep", "inputs": {"Duration": duration}})


def half(at: Stage, name: str) -> str:
    """It changes something, says that it succeeded, and the fault is still there."""
    call = {
        "Service": "sns", "Api": "SetTopicAttributes", "TopicArn": "{{ TopicArn }}",
        "AttributeName": "DisplayName", "AttributeValue": "half done",
    }  # fmt: skip
    return document(at, name, {"name": "Half", "action": "aws:executeAwsApi", "inputs": call})


def with_documents(at: Stage, documents: dict[int, str]) -> Plan:
    """The same plan, in which some steps run another document."""
    display = Change(path="/DisplayName", before=MARK, after=MARK)

    def changed(step: Step, name: str) -> Step:
        return replace(step, target=name, expected=(*step.expected, display))

    steps = tuple(
        changed(step, documents[number]) if number in documents else step
        for number, step in enumerate(at.plan.steps)
    )
    return approve(at.wiring, seal(replace(at.plan, id="with-documents", steps=steps, approvals=())))


@pytest.mark.parametrize("rollout", STRATEGIES)
def test_everything_goes_wrong_somewhere(made: Any, rollout: str) -> None:
    """Throttling is waited out; what is denied, useless, half done or endless is named; the rest is fixed."""
    at = made(rollout, max_errors=COUNT, step_timeout_minutes=2)
    at.world.sandbox.timing["automation_sleep_scale"] = 1.0
    useless, endless, partly = (
        idle(at, "DriftguardUseless", "PT1S"),
        idle(at, "DriftguardEndless", "P1D"),
        half(at, "DriftguardHalf"),
    )
    at.plan = with_documents(at, {3: useless, 30: useless, 44: endless, 7: partly, 48: partly})
    faults = at.world.sandbox.faults
    faults.add("throttle", service="ssm", operation="StartAutomationExecution", every=7)
    faults.add("deny", service="ssm", operation="StartAutomationExecution", resource="*topic-13*")
    faults.add("deny", service="sns", operation="SetTopicAttributes", resource="*topic-21*", internal=True)
    outcome = at.apply()
    throttled = faults.rules[0].fired
    faults.clear()
    counts = at.check(outcome.executions)
    by_name = at.by_name(outcome.executions)
    wrong = {name: one.status.value for name, one in by_name.items() if one.status != "VERIFIED"}
    assert wrong == {
        "topic-03": "RAN_NOT_FIXED", "topic-30": "RAN_NOT_FIXED", "topic-44": "FAILED",
        "topic-07": "ROLLED_BACK", "topic-48": "ROLLED_BACK", "topic-13": "FAILED", "topic-21": "FAILED",
    }  # fmt: skip
    assert counts["VERIFIED"] == COUNT - len(wrong)
    assert throttled >= 5
    assert "Missing action: ssm:StartAutomationExecution" in by_name["topic-13"].detail
    assert "did not end within 2 minutes and was stopped" in by_name["topic-44"].detail
    for name in ("topic-07", "topic-48"):
        arn = next(step.key.identifier for step in at.plan.steps if step.key.identifier.endswith(name))
        shown = at.world.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
        assert not shown.get("DisplayName")


@pytest.mark.parametrize("rollout", STRATEGIES)
def test_killed_with_9_between_start_and_record(made: Any, rollout: str) -> None:
    """Killed after SSM started a step and before that was written: the next process finds it by its token."""
    at = made(rollout)
    at.world.sandbox.serve(0)
    settings = at.world.settings.model_dump(mode="json")
    try:
        for starts in (0, 7, None):
            environment = {
                **at.world.sandbox.environment(), "SANDBOX_NOW": at.world.sandbox.clock.now().isoformat()
            }  # fmt: skip
            process = PROCESSES.Process(
                target=in_another_process, args=(environment, settings, at.plan.id, starts)
            )
            process.start()
            process.join(120)
            assert process.exitcode == (0 if starts is None else -signal.SIGKILL)
            if starts is not None:
                known = [one.status.value for one in at.wiring.store.executions(at.plan.id)]
                assert "PENDING" in known  # it runs in SSM, and nobody has written so
    finally:
        at.world.sandbox.close()
    executions = tuple(at.wiring.store.executions(at.plan.id))
    order = [step.id for step in at.plan.steps]
    assert at.check(tuple(sorted(executions, key=lambda one: order.index(one.step)))) == {"VERIFIED": COUNT}
    assert sum(at.started().values()) == COUNT


@pytest.mark.parametrize("changed_since", [False, True])
def test_killed_with_9_between_a_failure_and_its_rollback(made: Any, changed_since: bool) -> None:
    """The next run takes the rollback up, from the state that the plan saved; a later hand's work stays."""
    at = made("OneAtATime", 3, max_errors=3)
    at.plan = with_documents(at, {1: half(at, "DriftguardHalf")})
    arn, name = at.plan.steps[1].key.identifier, at.plan.steps[1].id
    sns = at.world.client("sns")

    def shown() -> str:
        return str(sns.get_topic_attributes(TopicArn=arn)["Attributes"].get("DisplayName", ""))

    at.world.sandbox.serve(0)
    try:
        environment = {
            **at.world.sandbox.environment(), "SANDBOX_NOW": at.world.sandbox.clock.now().isoformat()
        }  # fmt: skip
        settings = at.world.settings.model_dump(mode="json")
        process = PROCESSES.Process(
            target=in_another_process, args=(environment, settings, at.plan.id, AT_ROLLBACK)
        )
        process.start()
        process.join(120)
        assert process.exitcode == -signal.SIGKILL
    finally:
        at.world.sandbox.close()
    known = {one.step: one.status.value for one in at.wiring.store.executions(at.plan.id)}
    assert known[name] == "ROLLING_BACK" and shown() == "half done"
    if changed_since:
        sns.set_topic_attributes(TopicArn=arn, AttributeName="DisplayName", AttributeValue="by hand")
    outcome = at.apply()
    rows = {one.step: one for one in outcome.executions}
    assert {step for step, one in rows.items() if one.status == "VERIFIED"} == set(rows) - {name}
    if changed_since:
        assert rows[name].status == "FAILED" and "was changed again since" in rows[name].detail
        assert shown() == "by hand"
    else:
        assert rows[name].status == "ROLLED_BACK", rows[name].detail
        assert shown() == ""
    at.check(outcome.executions)


@pytest.mark.parametrize("rollout", STRATEGIES)
def test_an_alarm_stops_the_rest(made: Any, rollout: str) -> None:
    """An alarm that is raised while steps run: nothing more is started, and all is said."""
    at = made(rollout, alarms=["shop-errors"], concurrency=10)
    watch = at.world.client("cloudwatch")
    watch.put_metric_alarm(
        AlarmName="shop-errors", Namespace="shop", MetricName="errors", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    watch.set_alarm_state(AlarmName="shop-errors", StateValue="OK", StateReason="calm")
    begun = Counter[str]()

    def sleep(seconds: float) -> None:
        begun["n"] += 1
        if begun["n"] == 2:
            watch.set_alarm_state(AlarmName="shop-errors", StateValue="ALARM", StateReason="errors")
        at.world.sleep(seconds)

    outcome = at.apply(sleep=sleep)
    assert "shop-errors" in outcome.stopped
    counts = at.check(outcome.executions)
    assert set(counts) == {"VERIFIED", "SKIPPED"}
    assert counts["SKIPPED"] > COUNT // 2
    assert all("shop-errors" in one.detail for one in outcome.executions if one.status == "SKIPPED")


def test_the_first_step_that_does_not_help_stops_the_rest(made: Any) -> None:
    """A document that succeeds without fixing counts as an error, and the default allows none."""
    at = made("OneAtATime")
    at.plan = with_documents(at, {0: idle(at, "DriftguardUseless", "PT1S")})
    outcome = at.apply()
    counts = Counter(one.status.value for one in outcome.executions)
    assert counts == {"RAN_NOT_FIXED": 1, "SKIPPED": COUNT - 1}
    assert "the plan allows 0" in outcome.stopped


def test_pause_and_resume_start_nothing_twice(made: Any) -> None:
    at = made("HalfAtATime", 20)
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


def test_abort_leaves_a_reason_for_every_step(made: Any) -> None:
    at = made("Linear10PercentEvery1Minute", 20)
    at.wiring.store.audit("kim", "plan.abort", at.plan.id, {})
    outcome = at.apply()
    assert at.check(outcome.executions) == {"SKIPPED": 20}
    assert all("aborted" in one.detail for one in outcome.executions)
    assert at.started() == {}
