"""What commands answer has the form that the reference documents: no field is missing, none is unknown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from driftguard.cli.root import run
from driftguard.report import render
from driftguard.report.document import scan_document
from driftguard.report.forms import OUTPUTS, Form
from tests.published_files import junit_faults
from tests.synthetic.conftest import Night

SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "outputs"
TEMPLATE = """\
Parameters:
  Size: {Type: Number}
Conditions:
  Never: !Equals [a, b]
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties: {BucketName: !Sub "${AWS::StackName}-x", Tags: [{Key: size, Value: !Ref Size}]}
  Gone: {Type: AWS::SQS::Queue, Condition: Never}
"""
CASES = [
    {
        "id": 1,
        "resource_type": "AWS::S3::Bucket",
        "declared": {"BucketName": "b", "VersioningConfiguration": {"Status": "Enabled"}},
        "live": {"BucketName": "b", "VersioningConfiguration": {"Status": "Suspended"}, "Arn": "a"},
    },
    {"id": 2},
]


def unknown(form: Any, path: str = "") -> Iterator[str]:
    """The fields of an answer that its form does not name."""
    if isinstance(form, Form):
        yield from (f"{path}/{name}" for name in form.model_extra or ())
        for name in type(form).model_fields:
            yield from unknown(getattr(form, name), f"{path}/{name}")
    elif isinstance(form, list):
        for one in form:
            yield from unknown(one, f"{path}/*")
    elif isinstance(form, dict):
        for one in form.values():
            yield from unknown(one, f"{path}/*")


def holds(name: str, document: Any) -> None:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    faults = [
        f"{fault.json_path}: {fault.message}" for fault in Draft202012Validator(schema).iter_errors(document)
    ]
    assert faults == []
    assert sorted(set(unknown(OUTPUTS[name].model_validate(document)))) == []


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    monkeypatch.setenv("DRIFTGUARD_STORE", f"sqlite:///{tmp_path / 'driftguard.db'}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.yaml").write_text(TEMPLATE, encoding="utf-8")
    (tmp_path / "cases.jsonl").write_text("\n".join(map(json.dumps, CASES)), encoding="utf-8")

    def call(*arguments: str) -> str:
        capsys.readouterr()
        run(list(arguments))
        return capsys.readouterr().out

    return call


def test_scan(night: Night) -> None:
    holds("scan", scan_document(night.after))


def test_findings(night: Night, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer("findings", "--output", "json") == "", "without a run there is no answer, but an error"
    monkeypatch.setenv("DRIFTGUARD_STORE", night.store)
    told = json.loads(answer("findings", "--kind", "unmanaged", "--limit", "1", "--output", "json"))
    assert [one["identifier"] for one in told["findings"]] == ["temp-admin"], "the worst first"
    assert told["total"] == 2
    holds("findings", told)
    rest = answer("findings", "--kind", "unmanaged", "--limit", "1", "--cursor", told["cursor"])
    assert "minji-debug-dump" in rest and "temp-admin" not in rest
    assert "minji.kim (PlatformEngineer)" in rest
    policy = json.loads(answer("findings", "--policy", "INCOMING_SSH_DISABLED", "--output", "json"))
    assert {one["subject"] for one in policy["findings"]} == {"INCOMING_SSH_DISABLED"}


def test_drift(night: Night, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTGUARD_STORE", night.store)
    told = json.loads(answer("drift", "--output", "json"))
    assert told["drifts"] and told["findings"]
    holds("drift", told)


def test_commands_without_aws(answer: Any) -> None:
    lines = answer("compare", "--cases", "cases.jsonl").splitlines()
    assert [json.loads(line)["status"] for line in lines] == ["MODIFIED", "ERROR"]
    for line in lines:
        holds("compare", json.loads(line))
    resolved = json.loads(answer("resolve", "t.yaml", "--output", "json"))
    assert resolved["unknown"] and resolved["absent"] == ["Gone"]
    holds("resolve", resolved)
    checked = json.loads(answer("check", "t.yaml", "--output", "json"))
    assert checked["results"]
    holds("check", checked)


def test_snapshot_import(answer: Any, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    told = json.loads(answer("snapshot", "import", "broken.json", "--output", "json"))
    assert told["errors"]
    holds("snapshot-import", told)


def test_the_night_as_junit_is_within_the_published_schema(night: Night) -> None:
    text = str(render(night.after, "junit"))
    assert junit_faults(text) == []
    assert text.count("<failure") > 30
