"""The forms in which services answer what was declared: no alarm for them, and an alarm for what only looks alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from driftguard.compare import CompareContext, Comparison, compare
from driftguard.schema import registry

FOLDER = Path(__file__).parents[2] / "cases" / "compare_catalogue"
KEY = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CONTEXT = CompareContext(
    account_id="111111111111",
    region="us-east-1",
    kms_aliases={"alias/k": KEY},
    stack_tags={"env": "p"},
    stack_name="st",
    logical_id="Res",
)
ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
DENY = {
    "Effect": "Deny",
    "Principal": {"AWS": ["111111111111", "222222222222"]},
    "Action": ["s3:PutObject", "s3:DeleteObject"],
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": False}},
}
ROOTS = ["arn:aws:iam::222222222222:root", "arn:aws:iam::111111111111:root"]
POLICY = {"Version": "2012-10-17", "Statement": [ALLOW, DENY]}
ANSWERED = {
    "Version": "2012-10-17",
    "Statement": [
        {
            **DENY,
            "Principal": {"AWS": ROOTS},
            "Action": ["s3:DeleteObject", "s3:PutObject"],
            "Resource": ["*"],
            "Condition": {"Bool": {"aws:SecureTransport": ["false"]}},
        },
        {**ALLOW, "Principal": {"AWS": "*"}, "Action": ["s3:GetObject"]},
    ],
}
OPENED = {**ANSWERED, "Statement": [ANSWERED["Statement"][0], {**ALLOW, "Action": "s3:*"}]}
DOCUMENT, SAME, OTHER = {"b": {"x": [1, 2]}, "a": "c"}, {"a": "c", "b": {"x": [1, 2]}}, {"a": "c", "b": 1}


def load(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def judged(kind: str, declared: dict[str, Any], live: dict[str, Any]) -> Comparison:
    schema = registry().get(kind)
    assert schema is not None, kind
    return compare(declared, live, schema, CONTEXT)


def cases(name: str) -> list[Any]:
    return [pytest.param(row, id=f"{number}-{row['type']}") for number, row in enumerate(load(name))]


@pytest.mark.parametrize("case", cases("services.yaml"))
def test_a_service_may_answer_in_its_own_form(case: dict[str, Any]) -> None:
    found = judged(case["type"], case["declared"], case["live"])
    assert (found.status.value, bool(found.differences)) == (case["status"], case["status"] == "MODIFIED")


@pytest.mark.parametrize("case", cases("defaults.yaml"))
def test_what_aws_fills_in_is_no_news(case: dict[str, Any]) -> None:
    found = judged(case["type"], case["declared"], case["live"])
    assert found.differences == ()
    assert found.undeclared == ()


@pytest.mark.parametrize(("kind", "names"), load("lower_case_names.yaml").items())
def test_names_may_come_back_in_lower_case(kind: str, names: list[str]) -> None:
    for name in names:
        assert judged(kind, {name: "My-Thing"}, {name: "my-thing"}).differences == (), name
        assert judged(kind, {name: "My-Thing"}, {name: "my-other"}).differences, name


@pytest.mark.parametrize(("kind", "name"), load("documents.yaml")["policies"].items())
def test_a_policy_is_its_meaning(kind: str, name: str) -> None:
    for declared in (POLICY, json.dumps(POLICY)):
        for live in (ANSWERED, json.dumps(ANSWERED, indent=2)):
            assert judged(kind, {name: declared}, {name: live}).differences == ()
        assert judged(kind, {name: declared}, {name: OPENED}).differences
        assert judged(kind, {name: declared}, {name: json.dumps(OPENED)}).differences


@pytest.mark.parametrize(("kind", "names"), load("documents.yaml")["json"].items())
def test_a_document_is_its_content(kind: str, names: list[str]) -> None:
    for name in names:
        for declared in (DOCUMENT, json.dumps(DOCUMENT)):
            for live in (SAME, json.dumps(SAME, indent=2)):
                assert judged(kind, {name: declared}, {name: live}).differences == (), name
            assert judged(kind, {name: declared}, {name: json.dumps(OTHER)}).differences, name
