"""The night is put right: one plan with all three cures, approved, applied, and the next scan shows what it said."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from driftguard.cli.root import cli
from driftguard.model import Finding, Report
from driftguard.model.remediation import ActionKind, Approval, Cure, Execution, ExecutionStatus, Plan
from driftguard.remediation import Wishes
from driftguard.remediation.render import outcome, text
from driftguard.remediation.setup import template
from driftguard.sandbox.estate import prepare_remediation
from driftguard.sandbox.estate.plan import estate
from driftguard.scan import scan
from driftguard.settings import load_settings
from driftguard.wiring import Wiring
from tests.synthetic.conftest import Night


@dataclass(frozen=True)
class Cured:
    """The plan of the night, what came of it, and the scan after it."""

    plan: Plan
    executions: tuple[Execution, ...]
    open_before: tuple[Finding, ...]
    after: Report
    patched: Report
    folder: Path
    store: str


def deploy_patch(night: Night, cured_plan: Plan, folder: Path) -> None:
    """What a person does with the patch of a stack that stands by itself: deploy it."""
    step = next(one for one in cured_plan.steps if one.logical_id == "EdgeTopic")
    stacks = night.sandbox.session(
        account=step.key.account, region=step.key.region, principal="admin"
    ).client("cloudformation")
    [stack] = stacks.describe_stacks(StackName=step.stack)["Stacks"]
    stacks.update_stack(
        StackName=step.stack,
        TemplateBody=(folder / step.target).read_text(encoding="utf-8"),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[
            {"ParameterKey": one["ParameterKey"], "UsePreviousValue": True} for one in stack["Parameters"]
        ],
    )


@pytest.fixture(scope="module")
def cured(own_night: Night, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cured]:
    folder = tmp_path_factory.mktemp("cured")
    for file in own_night.folder.glob("*"):
        if file.is_file():
            shutil.copy(file, folder / file.name)
    store = f"sqlite:///{folder / 'driftguard.db'}"
    settings = load_settings(str(folder / "config.yaml"), {"DRIFTGUARD_STORE": store})
    home = estate().account("management")

    def sleep(seconds: float) -> None:
        own_night.sandbox.clock.advance(seconds)
        time.sleep(0.01)

    with Wiring(
        settings,
        session_factory=lambda: own_night.sandbox.session(account=home, principal="driftguard"),
        clock=own_night.sandbox.clock.now,
    ) as wiring:
        types = {key.type for key in wiring.store.state_hashes()}
        prepare_remediation(own_night.sandbox, template(wiring.remedies, wiring.settings.remediation, types))
        findings = tuple(one for one in own_night.after.findings if one.open and not one.waiver)
        made = wiring.plan(findings, Wishes(author="lee", rollout="AllAtOnce"))
        wiring.store.put_plan(made)
        wiring.store.approve_plan(
            made.id, Approval(approver="kim", at=wiring.clock(), reason="read it", digest=made.digest)
        )
        plan = wiring.store.plan(made.id)
        assert plan is not None
        result = wiring.runner(plan, patches=folder / "patches", sleep=sleep).run()
        after = scan(wiring.job(trigger="test"))
        deploy_patch(own_night, plan, folder / "patches")
        yield Cured(
            plan,
            result.executions,
            findings,
            after,
            scan(wiring.job(trigger="test", accounts=("222222222222",), regions=("us-east-1",))),
            folder,
            store,
        )


def open_in(report: Report) -> set[str]:
    return {one.fingerprint for one in report.findings if one.open and not one.waiver}


def adopted(plan: Plan) -> set[str]:
    return {name for step in plan.steps if step.action is ActionKind.TEMPLATE_PATCH for name in step.findings}


def test_every_finding_of_the_night_has_a_step_or_a_reason(cured: Cured) -> None:
    stepped = [name for step in cured.plan.steps for name in step.findings]
    left = [one.finding for one in cured.plan.left]
    assert sorted([*stepped, *left]) == sorted(one.fingerprint for one in cured.open_before)
    assert all(one.why and one.guard for one in cured.plan.left)


def test_the_plan_shows_all_three_cures_and_the_policies(cured: Cured) -> None:
    assert {step.cure for step in cured.plan.steps} == set(Cure)


def test_what_is_answered_by_putting_a_resource_back_is_not_done_twice(cured: Cured) -> None:
    places = [(step.key, change.path) for step in cured.plan.steps for change in step.expected if change.path]
    assert len(places) == len(set(places))
    assert sum(len(step.also) for step in cured.plan.steps) >= 5


def test_every_step_helped(cured: Cured) -> None:
    wrong = [(one.step, one.status, one.detail) for one in cured.executions]
    assert {one.status for one in cured.executions} == {ExecutionStatus.VERIFIED}, wrong
    assert len(cured.executions) == len(cured.plan.steps)


def test_the_next_scan_shows_only_what_the_plan_left_and_what_waits_for_a_deployment(cured: Cured) -> None:
    left = {one.finding for one in cured.plan.left}
    assert open_in(cured.after) == left | adopted(cured.plan)


def test_what_still_is_open_is_named_with_its_reason(cured: Cured) -> None:
    said = " ".join(outcome(cured.plan, cured.executions).split())
    for one in cured.plan.left:
        assert one.title in said and one.place in said and " ".join(one.why.split()) in said
    for step in cured.plan.steps:
        if step.action is ActionKind.TEMPLATE_PATCH:
            assert f"deploy the patch of {step.target}" in said


def test_the_deployed_patch_ends_its_finding(cured: Cured) -> None:
    [step] = [one for one in cured.plan.steps if one.logical_id == "EdgeTopic"]
    assert set(step.findings) <= open_in(cured.after)
    assert not set(step.findings) & open_in(cured.patched)


def test_the_tags_that_the_stack_gives_stay(cured: Cured) -> None:
    """Putting one tag back must not take the stack's own tags away."""
    drifted = {drift.logical_id for drift in cured.after.drifts if drift.drifted}
    assert drifted == {step.logical_id for step in cured.plan.steps if step.cure is Cure.ADOPT} | {
        one.title.split()[0] for one in cured.plan.left if one.title.endswith("is deleted")
    }


def test_an_accepted_resource_is_suppressed_until_its_waiver_ends(cured: Cured) -> None:
    [step] = [one for one in cured.plan.steps if one.cure is Cure.ACCEPT]
    [finding] = [one for one in cured.after.findings if one.fingerprint == step.finding]
    assert finding.status == "SUPPRESSED" and finding.waiver


def test_the_printed_plan_is_short_and_says_first_what_matters(cured: Cured) -> None:
    said = text(cured.plan)
    lines = said.splitlines()
    assert lines[0].startswith(f"Remediation plan {cured.plan.id}: {len(cured.open_before)} findings, ")
    assert len(lines) < 8 * len(cured.open_before)
    assert max(map(len, lines)) <= 200
    order = [
        "Look at these before you approve",
        "REVERT:",
        "ADOPT:",
        "ACCEPT:",
        "FIX:",
        "Left to a person",
        "Next",
    ]
    places = [re.search(rf"^{re.escape(word)}", said, re.MULTILINE) for word in order]
    assert all(places)
    assert [place.start() for place in places if place] == sorted(place.start() for place in places if place)
    for step in cured.plan.steps:
        assert step.id in said
    assert "0.0.0.0/0" in said.split("REVERT: put")[1] and "takes away" in said.split("REVERT: put")[0]


def test_the_same_summary_is_in_json(cured: Cured) -> None:
    shown = CliRunner().invoke(
        cli,
        [
            "--config",
            str(cured.folder / "config.yaml"),
            "remediate",
            "show",
            cured.plan.id,
            "--output",
            "json",
        ],
        env={"DRIFTGUARD_STORE": cured.store},
        standalone_mode=False,
    )
    assert shown.exception is None
    data = json.loads(shown.stdout)
    told = data["summary"]
    assert told["findings"] == len(cured.open_before)
    assert sum(row["findings"] for row in told["by_cure"]) == told["answered"]
    assert sum(len(row["findings"]) for row in told["needs_a_person"]) == len(cured.plan.left)
    assert {row["why"] for row in told["look_first"]} >= {"TAKES_AWAY", "MAKES", "DISTURBS"}
    assert [row["id"] for row in data["steps"]] == [step.id for step in cured.plan.steps]
