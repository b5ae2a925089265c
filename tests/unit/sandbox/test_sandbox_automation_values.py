"""Selectors, choices, patterns and calendars: the pure parts of Automation and EventBridge."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from driftguard.sandbox.core import ApiError
from driftguard.sandbox.extras.events import matches
from driftguard.sandbox.extras.iam_simulation import decide
from driftguard.sandbox.ssm.calendar import is_open
from driftguard.sandbox.ssm.documents import owned_texts
from driftguard.sandbox.ssm.runbook import check_parameters, parse
from driftguard.sandbox.ssm.values import holds, select, substitute
from tests.shared_data import shared

DATA = {"A": [{"B": 1, "N": "x"}, {"B": 2, "N": "y"}], "C": {"d-e": "z"}}


@pytest.mark.parametrize(
    ("selector", "value"),
    [
        ("$.A[0].B", 1),
        ("$.A[-1].B", 2),
        ("$.A[*].B", [1, 2]),
        ("$.A..B", [1, 2]),
        ("$.C['d-e']", "z"),
        ("$.A[?(@.N == 'y')].B", [2]),
        ("$.A[7].B", None),
        ("$.Nothing", None),
    ],
)
def test_selectors(selector: str, value: Any) -> None:
    assert select(DATA, selector) == value


def test_a_single_reference_keeps_its_type() -> None:
    values = {"n": 3, "l": ["a"]}
    given = {"x": "{{ n }}", "y": "id-{{n}}", "z": ["{{l}}"]}
    assert substitute(given, values.__getitem__) == {"x": 3, "y": "id-3", "z": [["a"]]}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"Variable": "abc", "StartsWith": "ab"}, True),
        ({"Variable": "5", "NumericGreaterOrEquals": 5}, True),
        ({"Variable": True, "BooleanEquals": "true"}, True),
        ({"Not": {"Variable": "a", "StringEquals": "a"}}, False),
        ({"And": [{"Variable": "a", "StringEquals": "a"}, {"Variable": 1, "NumericLesser": 1}]}, False),
        ({"Or": [{"Variable": "a", "Contains": "z"}, {"Variable": "A", "EqualsIgnoreCase": "a"}]}, True),
    ],
)
def test_choices(choice: dict[str, Any], expected: bool) -> None:
    assert holds(choice) is expected


RUNBOOK = """
schemaVersion: "0.3"
parameters:
  Id: {type: String, allowedPattern: "^i-[0-9a-f]+$"}
  Mode: {type: String, default: fast, allowedValues: [fast, slow]}
  Ids: {type: StringList, default: [], maxItems: 2}
  Count: {type: Integer, default: 1}
mainSteps:
  - {name: a, action: "aws:sleep", inputs: {Duration: PT1S}}
"""


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"Id": ["i-1"], "Other": ["x"]},
        {"Id": ["nope"]},
        {"Id": ["i-1", "i-2"]},
        {"Id": ["i-1"], "Mode": ["medium"]},
        {"Id": ["i-1"], "Ids": ["a", "b", "c"]},
        {"Id": ["i-1"], "Count": ["many"]},
    ],
)
def test_wrong_parameters_are_refused(given: dict[str, list[str]]) -> None:
    with pytest.raises(ApiError) as caught:
        check_parameters(parse(RUNBOOK), given)
    assert caught.value.code == "InvalidAutomationExecutionParametersException"


def test_defaults_are_filled_in() -> None:
    found = check_parameters(parse(RUNBOOK), {"Id": ["i-1"]})
    assert found == {"Id": ["i-1"], "Mode": ["fast"], "Ids": [], "Count": ["1"]}


def test_every_owned_runbook_parses_and_there_are_enough() -> None:
    found = {name: parse(text) for name, text in owned_texts().items()}
    assert len(found) >= 40
    assert all(name.startswith(("AWS-", "AWSConfigRemediation-")) for name in found)
    for name, runbook in found.items():
        required = not runbook.parameters["AutomationAssumeRole"].has_default
        assert required == name.startswith("AWSConfigRemediation-"), name


def test_owned_runbooks_take_the_parameters_that_aws_documents() -> None:
    import csv

    with shared("data", "reference", "ssm_runbooks_detail.csv").open(encoding="utf-8") as file:
        documented = {row["name"]: row["required_params"] for row in csv.DictReader(file)}
    wrong = {}
    for name, text in owned_texts().items():
        required = {one for one in documented.get(name, "").split(";") if one}
        missing = required - set(parse(text).parameters)
        if missing:
            wrong[name] = missing
    assert not wrong


def test_public_documents_parse() -> None:
    folder = shared("data", "ssm-automation", "aws-systems-manager")
    parsed = 0
    for path in sorted(folder.rglob("Documents/*.json")):
        text = path.read_text("utf-8")
        if '"0.3"' in text:
            assert parse(text).steps
            parsed += 1
    assert parsed >= 5


EVENT = {
    "source": "aws.s3",
    "detail-type": "AWS API Call via CloudTrail",
    "detail": {"eventName": "PutBucketPolicy", "n": 5, "list": ["a", "b"]},
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"source": ["aws.s3"]}, True),
        ({"source": ["aws.ec2"]}, False),
        ({"source": [{"prefix": "aws."}], "detail": {"eventName": [{"anything-but": ["GetObject"]}]}}, True),
        ({"detail": {"n": [{"numeric": [">", 1, "<=", 5]}]}}, True),
        ({"detail": {"list": ["b"]}}, True),
        ({"detail": {"missing": [{"exists": False}]}}, True),
        ({"detail": {"eventName": [{"exists": False}]}}, False),
        ({"detail": {"eventName": [{"wildcard": "Put*Policy"}]}}, True),
        ({"$or": [{"source": ["x"]}, {"detail": {"n": [5]}}]}, True),
    ],
)
def test_event_patterns(pattern: dict[str, Any], expected: bool) -> None:
    assert matches(pattern, EVENT) is expected


CALENDAR = """BEGIN:VCALENDAR
X-CALENDAR-TYPE:{default}
BEGIN:VEVENT
DTSTART;TZID=Asia/Seoul:20260105T090000
DTEND;TZID=Asia/Seoul:20260105T180000
RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR
END:VEVENT
END:VCALENDAR
"""


@pytest.mark.parametrize(
    ("default", "at", "expected"),
    [
        ("DEFAULT_OPEN", "2026-01-07T03:00:00+00:00", False),
        ("DEFAULT_OPEN", "2026-01-07T10:00:00+00:00", True),
        ("DEFAULT_OPEN", "2026-01-10T03:00:00+00:00", True),
        ("DEFAULT_CLOSED", "2026-01-07T03:00:00+00:00", True),
        ("DEFAULT_CLOSED", "2026-01-11T03:00:00+00:00", False),
    ],
)
def test_calendars(default: str, at: str, expected: bool) -> None:
    assert is_open(CALENDAR.format(default=default), dt.datetime.fromisoformat(at)) is expected


def test_an_explicit_deny_wins() -> None:
    allow = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    deny = {
        "Statement": {
            "Effect": "Deny",
            "Action": "s3:Delete*",
            "Resource": "*",
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
        }
    }
    policies = [("allow", allow), ("deny", deny)]
    no_mfa = {"aws:multifactorauthpresent": ["false"]}
    assert decide(policies, "s3:DeleteBucket", "*", no_mfa)[0] == "explicitDeny"
    assert decide(policies, "s3:GetObject", "*", no_mfa)[0] == "allowed"
    assert decide(policies, "ec2:RunInstances", "*", {})[0] == "implicitDeny"
