"""``driftguard compare``: one answer a line, in order, whatever the line."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from driftguard.cli.root import run

CASE: dict[str, Any] = {
    "id": "c1",
    "resource_type": "AWS::S3::Bucket",
    "logical_id": "B",
    "physical_id": "b-1",
    "declared": {"BucketName": "b-1", "Tags": [{"Key": "k", "Value": "a"}]},
    "live": {"BucketName": "b-1", "Arn": "arn:aws:s3:::b-1", "Tags": [{"Key": "k", "Value": "b"}]},
    "context": {"account_id": "111111111111", "region": "us-east-1", "kms_aliases": {}, "stack_tags": {}},
}


def answers(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_the_outward_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps(CASE) + "\n", encoding="utf-8")
    assert run(["compare", "--cases", str(file)]) == 0
    [answer] = answers(capsys.readouterr().out)
    assert answer == {
        "id": "c1",
        "status": "MODIFIED",
        "differences": [
            {
                "PropertyPath": "/Tags/0/Value",
                "ExpectedValue": "a",
                "ActualValue": "b",
                "DifferenceType": "NOT_EQUAL",
            }
        ],
        "reordered": [],
        "undeclared": [],
        "not_checked": [],
        "folded": [],
    }


def test_a_bad_line_is_an_error_and_the_rest_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        "{not json",
        "[]",
        json.dumps({"id": "c2", "resource_type": "AWS::S3::Bucket"}),
        json.dumps({**CASE, "id": "c3", "resource_type": ""}),
        json.dumps({**CASE, "id": "c4", "context": None}),
        "",
        json.dumps({**CASE, "id": "c5", "resource_type": "Custom::Thing"}),
    ]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(lines).encode())))
    assert run(["compare", "--cases", "-"]) == 0
    found = answers(capsys.readouterr().out)
    assert [(one["id"], one["status"]) for one in found] == [
        (None, "ERROR"),
        (None, "ERROR"),
        ("c2", "ERROR"),
        ("c3", "ERROR"),
        ("c4", "MODIFIED"),
        ("c5", "MODIFIED"),
    ]
    assert "declared" in found[2]["error"]


def test_a_missing_file_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "--cases", str(tmp_path / "none.jsonl")]) == 2
    assert "none.jsonl cannot be read" in capsys.readouterr().err


def test_a_file_without_one_case_that_can_be_compared_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cases.jsonl").write_text('{"id": 1}\nnonsense\n', encoding="utf-8")
    assert run(["compare", "--cases", str(tmp_path / "cases.jsonl")]) == 2
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 2
    assert "2 of 2 cases could not be compared" in told.err
