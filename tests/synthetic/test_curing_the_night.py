"""The night is put right: one plan with all three cures, approved, applied, and the next scan shows what it said."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from driftguard.cli.root import cli
from driftguard.history import open_store
from driftguard.history.timeline import acts_of, timeline
from driftguard.model import Finding, Gap, Report, ResourceKey, Waiver
from driftguard.model.remediation import ActionKind, Approval, Cure, Execution, ExecutionStatus, Plan, Step
from driftguard.remediation import Wishes
from driftguard.remediation.render import outcome, text
from driftguard.remediation.setup import template
from driftguard.sandbox.estate import answers, prepare_remediation, redeploy
from driftguard.sandbox.estate.plan import estate
from driftguard.scan import scan
from driftguard.settings import load_settings
from driftguard.wiring import Wiring
from tests.synthetic.conftest import Night


@dataclass(frozen=True)
class Cured:
    """The plan of the night without and with people's answers, what came of it, and the scans after it."""

    first: Plan
    plan: Plan
    executions: tuple[Execution, ...]
    open_before: tuple[Finding, ...]
    states_before: Mapping[ResourceKey, str]
    gaps_before: tuple[Gap, ...]
    applied: Report
    deployed: Report
    states_after: Mapping[ResourceKey, str]
    waivers: tuple[Waiver, ...]
    folder: Path
    store: str


def answered(findings: Sequence[Finding]) -> dict[str, tuple[str, str]]:
    """Fingerprint -> the cure and the reason that the people of the estate say."""
    said = {row["about"]: (row["cure"], row.get("why", "")) for row in answers()}
    names = {one.fingerprint: one.logical_id or one.key.identifier for one in findings}
    return {name: said[about] for name, about in names.items() if about in said}


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
        states = dict(wiring.store.state_hashes())
        prepare_remediation(
            own_night.sandbox,
            template(wiring.remedies, wiring.settings.remediation, {key.type for key in states}),
        )
        findings = tuple(one for one in own_night.after.findings if one.open and not one.waiver)
        first = wiring.plan(findings, Wishes(author="lee", rollout="AllAtOnce"))
        left = {one.finding for one in first.left}
        said = {name: row for name, row in answered(findings).items() if name in left}
        made = wiring.plan(
            findings,
            Wishes(
                author="lee",
                rollout="AllAtOnce",
                cures={name: Cure(cure.upper()) for name, (cure, _) in said.items()},
                reasons={name: why for name, (_, why) in said.items() if why},
                allow_deletes=True,
            ),
        )
        wiring.store.put_plan(made)
        wiring.store.approve_plan(
            made.id, Approval(approver="kim", at=wiring.clock(), reason="read it", digest=made.digest)
        )
        plan = wiring.store.plan(made.id)
        assert plan is not None
        result = wiring.runner(plan, patches=folder / "patches", sleep=sleep).run()
        applied = scan(wiring.job(trigger="test"))
        patched = {
            step.stack_id: step.target for step in plan.steps if step.action is ActionKind.TEMPLATE_PATCH
        }
        for stack_id, file in patched.items():
            redeploy(own_night.sandbox, stack_id, (folder / "patches" / file).read_text("utf-8"))
        deployed = scan(wiring.job(trigger="test"))
        yield Cured(
            first,
            plan,
            result.executions,
            findings,
            states,
            tuple(own_night.after.gaps),
            applied,
            deployed,
            dict(wiring.store.state_hashes()),
            tuple(wiring.store.waivers()),
            folder,
            store,
        )


def open_in(report: Report) -> set[str]:
    return {one.fingerprint for one in report.findings if one.open}


def steps_of(plan: Plan, *cures: Cure) -> list[Step]:
    return [step for step in plan.steps if step.cure in cures]


def findings_of(steps: Iterable[Step]) -> set[str]:
    return {name for step in steps for name in step.findings}


@pytest.mark.parametrize("which", ["first", "plan"])
def test_every_finding_of_the_night_has_a_step_or_a_reason(cured: Cured, which: str) -> None:
    plan = getattr(cured, which)
    stepped = [name for step in plan.steps for name in step.findings]
    left = [one.finding for one in plan.left]
    assert sorted([*stepped, *left]) == sorted(one.fingerprint for one in cured.open_before)
    assert all(one.why and one.guard for one in plan.left)


def test_what_is_left_to_a_person_names_the_flags_that_answer_it(cured: Cured) -> None:
    """Each of them was typed or could have been: none is offered that would not give a step."""
    offered = {one.title: {answer.flag.split()[0] for answer in one.answers} for one in cured.first.left}
    assert offered == {
        "AlertByMail is deleted": {"--adopt", "--accept"},
        "temp-admin is not managed": {"--revert", "--accept"},
        "Production stacks change by change sets that somebody approves": {"--accept"},
        "Deployments roll back by themselves": {"--accept"},
    }
    said = text(cured.first)
    for one in cured.first.left:
        assert one.title in said and one.place in said
        for answer in one.answers:
            assert answer.flag in said and one.finding.startswith(answer.flag.split()[1].split("=")[0])
    [user] = [one for one in cured.first.left if "temp-admin" in one.title]
    assert any(answer.flag.endswith("--allow-deletes") for answer in user.answers)


def test_with_the_answers_nothing_is_left(cured: Cured) -> None:
    assert len(cured.first.left) == 6
    assert cured.plan.left == ()
    assert {step.cure for step in cured.plan.steps} == set(Cure)


def test_what_autoscaling_moved_is_in_no_change_set(cured: Cured) -> None:
    """The reads of the table are its autoscaler's, in the plan without answers and in the one with them."""
    for plan in (cured.first, cured.plan):
        assert not [step for step in plan.steps if step.action is ActionKind.REVERT_DRIFT]
        places = {change.path for step in plan.steps for change in step.expected}
        assert "/ProvisionedThroughput/ReadCapacityUnits" not in places
    [mail] = [one for one in cured.first.left if one.title == "AlertByMail is deleted"]
    assert "autoscaling or a deployment has moved" in mail.why
    assert "compares templates, not what exists" in mail.why and "another logical id" in mail.why


def test_what_is_answered_by_putting_a_resource_back_is_not_done_twice(cured: Cured) -> None:
    places = [(step.key, change.path) for step in cured.plan.steps for change in step.expected if change.path]
    assert len(places) == len(set(places))
    assert sum(len(step.also) for step in cured.plan.steps) >= 5


def test_every_step_helped(cured: Cured) -> None:
    wrong = [(one.step, one.status, one.detail) for one in cured.executions]
    assert {one.status for one in cured.executions} == {ExecutionStatus.VERIFIED}, wrong
    assert len(cured.executions) == len(cured.plan.steps)


def test_the_scan_before_the_deployment_shows_only_what_waits_for_it(cured: Cured) -> None:
    waiting = [step for step in cured.plan.steps if step.action is ActionKind.TEMPLATE_PATCH]
    assert open_in(cured.applied) == findings_of(waiting)
    said = " ".join(outcome(cured.plan, cured.executions).split())
    for step in waiting:
        assert f"deploy the patch of {step.target}" in said


def test_the_scan_after_the_deployment_finds_nothing_open(cured: Cured) -> None:
    assert open_in(cured.deployed) == set()
    assert {one.logical_id for one in cured.deployed.drifts if one.drifted} == set()


def test_what_was_accepted_is_counted_and_named_with_its_reason_and_its_end(cured: Cured) -> None:
    accepted = findings_of(steps_of(cured.plan, Cure.ACCEPT))
    found = {one.fingerprint: one for one in cured.deployed.findings if one.status == "SUPPRESSED"}
    assert set(found) == accepted and len(accepted) == 5
    known = {one.id: one for one in cured.waivers}
    reasons = {row["why"] for row in answers() if "why" in row}
    assert {known[str(one.waiver)].reason for one in found.values()} > reasons
    ends = {known[str(one.waiver)].expires_at - cured.plan.created_at for one in found.values()}
    assert all(timedelta(days=89) < end < timedelta(days=91) for end in ends)


def test_nothing_else_in_the_estate_has_changed(cured: Cured) -> None:
    """No new finding, no new gap, and no resource of another state than the plan said."""
    before = {one.fingerprint for one in cured.open_before}
    assert {one.fingerprint for one in cured.deployed.findings if one.open or one.waiver} <= before
    assert {(gap.account, gap.region, gap.reason) for gap in cured.deployed.gaps} <= {
        (gap.account, gap.region, gap.reason) for gap in cured.gaps_before
    }
    touched = {step.key for step in cured.plan.steps}
    other = {
        key
        for key, state in cured.states_before.items()
        if cured.states_after.get(key) != state and key not in touched
    }
    assert other == set()


def test_access_is_gone_with_the_user(cured: Cured, own_night: Night) -> None:
    [step] = [one for one in cured.plan.steps if one.key.identifier == "temp-admin"]
    assert step.deletes and step.rollback is None
    users = own_night.sandbox.session(account=step.key.account, region="us-east-1", principal="admin")
    assert users.client("iam").list_users()["Users"] == []


def test_the_adopted_deletion_takes_one_resource_out_of_the_template_and_nothing_else(cured: Cured) -> None:
    [step] = [one for one in cured.plan.steps if one.logical_id == "AlertByMail"]
    changed = [line for line in step.parameters["Diff"].splitlines()[2:] if line[0] in "+-"]
    assert [line[0] for line in changed] == ["-", "-", "-"]
    assert changed[0] == "-  AlertByMail:"


def test_the_printed_plan_is_short_and_says_first_what_matters(cured: Cured) -> None:
    said = text(cured.first)
    lines = said.splitlines()
    assert lines[0].startswith(f"Remediation plan {cured.first.id}: {len(cured.open_before)} findings, ")
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
    for step in cured.first.steps:
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
    assert told["needs_a_person"] == []
    assert {row["why"] for row in told["look_first"]} == {
        "DELETES", "TAKES_AWAY", "MAKES", "DISTURBS", "NO_WAY_BACK",
    }  # fmt: skip
    assert [row["id"] for row in data["steps"]] == [step.id for step in cured.plan.steps]


def test_the_history_names_the_step_that_put_a_resource_right(cured: Cured) -> None:
    """Each step that ran in AWS is named by its resource's timeline, and no step by another's."""
    store = open_store(cured.store, create=False)
    told = {
        (step.key, by.source)
        for step in cured.plan.steps
        for entry in timeline(store.versions(step.key), acts_of(store, step.key))
        for by in entry.acts.values()
        if by.source.startswith("driftguard ")
    }
    store.close()
    ran = [step for step in cured.plan.steps if step.action is ActionKind.SSM_AUTOMATION]
    own = {(step.key, f"driftguard {cured.plan.id} {step.id}") for step in ran}
    assert told <= own
    # The user is deleted by four calls before the one that names it; a tag is no property of its own.
    assert len(told) >= len(own) - 2, own - told
