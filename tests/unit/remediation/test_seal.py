"""A plan is what its digest says, in the file as in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from driftguard.errors import InputError, PolicyError
from driftguard.remediation.away import UNMANAGED
from driftguard.remediation.documents import parse_document
from driftguard.remediation.remedies import load_remedies
from driftguard.remediation.render import full, markdown
from driftguard.remediation.seal import digest_of, read, token_of, write
from driftguard.remediation.values import ABSENT, settings_patch, undo
from tests.unit.remediation.test_guards import STEP, sealed


def test_a_plan_file_holds_the_whole_plan(tmp_path: Path) -> None:
    plan = sealed()
    write(plan, tmp_path / "plan.json")
    assert read(tmp_path / "plan.json") == plan
    assert digest_of(read(tmp_path / "plan.json")) == plan.digest


def test_any_change_of_a_step_changes_the_digest_and_an_approval_does_not() -> None:
    plan = sealed()
    assert digest_of(replace(plan, approvals=())) == plan.digest
    for changed in (
        replace(STEP, deletes=True),
        replace(STEP, saved={"/A": 1}),
        replace(STEP, state_hash="x"),
    ):
        assert digest_of(replace(plan, steps=(changed,))) != plan.digest


def test_a_token_belongs_to_one_step_of_one_plan() -> None:
    plan, other = sealed(), sealed(digest="1" * 64)
    assert token_of(plan, STEP) == token_of(plan, STEP)
    assert len({token_of(plan, STEP), token_of(other, STEP), token_of(plan, STEP, "rollback")}) == 3


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": "driftguard-plan-1"}', "no JSON"])
def test_what_is_no_plan_is_an_input_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "plan.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError):
        read(tmp_path / "plan.json")


def test_a_stranger_reads_what_why_and_the_way_back() -> None:
    plan = sealed(steps=(replace(STEP, message="It differs.", why_this_cure="Because.", why_safe="Surely."),))
    for said in (full(plan), markdown(plan)):
        for part in (
            "It differs.",
            "Because.",
            "Surely.",
            "DriftguardRevertResource",
            "Suspended",
            "Enabled",
        ):
            assert part in said
    assert "Nothing has been done" in full(plan)


LIVE = {"A": {"B": 1}, "List": [1, 2]}


@pytest.mark.parametrize(
    ("wanted", "operations"),
    [
        ({"/A/B": 1}, []),
        ({"/A/B": 2}, [{"op": "replace", "path": "/A/B", "value": 2}]),
        ({"/A/C": 3}, [{"op": "add", "path": "/A/C", "value": 3}]),
        ({"/X/Y/Z": 3, "/X/Y/W": 4}, [{"op": "add", "path": "/X", "value": {"Y": {"Z": 3, "W": 4}}}]),
        ({"/A": ABSENT}, [{"op": "remove", "path": "/A"}]),
        ({"/Gone": ABSENT}, []),
    ],
)
def test_the_patch_that_sets_values(wanted: dict[str, object], operations: list[object]) -> None:
    assert settings_patch(wanted, LIVE) == operations


def test_undo_puts_back_what_stood_there() -> None:
    operations = settings_patch({"/A/B": 2, "/New": 1}, LIVE)
    assert undo(operations, LIVE) == [
        {"op": "remove", "path": "/New"},
        {"op": "add", "path": "/A/B", "value": 1},
    ]


REMEDY = """remedies:
  - id: one
    title: One
    answers: [S3_BUCKET_VERSIONING_ENABLED]
    types: ['AWS::S3::Bucket']
    why_safe: It is.
    {line}
"""
WRONG = [
    ("set: {/VersioningConfigurations/Status: Enabled}", "VersioningConfiguration"),
    ("set: {/BucketName: other}", "without replacing it"),
    ("set: {/AccessControl: {from: 'a ||'}}", "does not parse"),
    ("colour: red", "no field `colour`"),
    ("deletes: true", "does not say what it changes"),
]


@pytest.mark.parametrize(("line", "said"), WRONG)
def test_a_wrong_remedy_is_an_error_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "mine.yaml").write_text(REMEDY.replace("{line}", line), encoding="utf-8")
    with pytest.raises(PolicyError, match=said) as error:
        load_remedies([tmp_path])
    assert error.value.where is not None and error.value.where.line is not None


def test_at_least_sixty_policies_have_a_remedy_and_each_policy_exists() -> None:
    from driftguard.rules import load_catalogue
    from driftguard.rules.packaged import packaged_policies

    remedies = load_remedies([packaged_policies() / "remediations"])
    policies = load_catalogue([packaged_policies() / "rules"]).policies
    known = {name for one in policies for name in (one.id, *one.aliases)}
    assert len(remedies.answered()) >= 60
    assert remedies.answered() - {UNMANAGED} <= known


DOCUMENT = """schemaVersion: '0.3'
parameters:
  Name: {type: String, allowedPattern: '^b-'}
  Mode: {type: String, default: ALL, allowedValues: [ALL, NONE]}
  Days: {type: Integer, default: 1}
mainSteps: [{name: A, action: 'aws:sleep', inputs: {Duration: PT1S}}]
"""


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Name is required"),
        ({"Name": ["x"]}, "does not fit"),
        ({"Name": ["b-1"], "Mode": ["SOME"]}, "must be one of ALL, NONE"),
        ({"Name": ["b-1"], "Days": ["many"]}, "whole number"),
        ({"Name": ["b-1", "b-2"]}, "takes one value"),
        ({"Name": ["b-1"], "Other": ["1"]}, "is no parameter"),
    ],
)
def test_parameters_are_checked_before_a_start(given: dict[str, list[str]], said: str) -> None:
    assert said in " ".join(parse_document("D", DOCUMENT).problems(given))


def test_right_parameters_have_no_problem() -> None:
    assert parse_document("D", DOCUMENT).problems({"Name": ["b-1"], "Mode": ["ALL"], "Days": ["3"]}) == ()
