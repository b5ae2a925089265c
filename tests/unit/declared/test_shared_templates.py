"""Real templates of others: every one loads, resolves, and where AWS's own answer is known it is ours."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from driftguard.declared.context import ResolveContext, Resolved
from driftguard.declared.resolve import expanded, resolve
from driftguard.declared.template import load_template
from driftguard.errors import TemplateError
from tests.shared_data import shared

CONTEXT = ResolveContext(region="us-east-1", account_id="123456789012", stack_name="s")
SUFFIXES = {".json", ".yaml", ".yml", ".template"}
NOT_IN_SAM = {"CodeUri", "DefinitionUri"}
"""Local paths: the translator's own tests hold them to be errors, packaging makes them good."""


def _shape(resolved: Resolved) -> dict[str, Any]:
    return {item.logical_id: (item.type, item.properties) for item in resolved.resources}


def test_every_template_loads_and_resolves_or_says_where_it_is_broken() -> None:
    loaded = broken = 0
    for path in sorted(shared("data", "cfn-templates").rglob("*")):
        if path.suffix not in SUFFIXES or "localstack" in str(path):
            continue
        try:
            resolved = resolve(load_template(path), CONTEXT)
        except TemplateError as error:
            broken += 1
            assert error.where is not None
            assert error.where.file == str(path)
            assert error.where.line, path
            good = "/good/" in str(path) and "/transform" not in str(path) and "_sam" not in path.name
            assert not good, f"{path} is good, but: {error}"
            continue
        loaded += 1
        for entry in resolved.unknown:
            assert entry.line
            assert entry.reason
    assert loaded > 900
    assert broken < loaded / 2


def test_yaml_and_json_twins_resolve_alike() -> None:
    alike = different = 0
    for path in sorted(shared("data", "cfn-templates", "aws-cloudformation-templates").rglob("*.json")):
        for twin in (path.with_suffix(".yaml"), path.with_suffix(".yml")):
            if not twin.exists():
                continue
            answers = []
            for file in (path, twin):
                try:
                    answers.append(_shape(resolve(load_template(file), CONTEXT)))
                except TemplateError as error:
                    answers.append({"error": error.message})
            alike += answers[0] == answers[1]
            different += answers[0] != answers[1]
    # A few pairs hold different resources: their authors changed one of the two only.
    assert alike >= 8 * different
    assert alike > 50


def test_loops_give_what_aws_documents() -> None:
    folder = shared("data", "cfn-templates", "cloud-radar", "tests", "templates", "ForEach")
    pairs = sorted(folder.rglob("*_transformed.yaml"))
    assert pairs
    for wanted in pairs:
        source = wanted.with_name(wanted.name.replace("_transformed", ""))
        ours, theirs = resolve(load_template(source), CONTEXT), resolve(load_template(wanted), CONTEXT)
        assert _shape(ours) == _shape(theirs), source
        assert ours.outputs == theirs.outputs, source


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in value.items()}
    return (
        sorted(map(_sorted, value), key=lambda item: json.dumps(item, sort_keys=True))
        if isinstance(value, list)
        else value
    )


def test_sam_inputs_give_their_outputs() -> None:
    folder = shared("data", "cfn-templates", "serverless-application-model", "tests", "translator")
    region = ResolveContext(region="ap-southeast-1")
    equal, other = 0, []
    for source in sorted((folder / "input").iterdir()):
        output = folder / "output" / f"{source.stem}.json"
        if not output.exists():
            continue
        wanted = json.loads(output.read_text())
        try:
            document, _ = expanded(load_template(source), region)
        except TemplateError as error:
            assert "errorMessage" in wanted, f"{source.name}: {error}"
            continue
        if "errorMessage" in wanted:
            continue
        if _sorted(document["Resources"]) == _sorted(wanted["Resources"]):
            equal += 1
        else:
            other.append(source.name)
    assert equal > 250
    # Those left differ in what only a deployment knows: the address of an application's template.
    assert len(other) <= equal / 50, other


MASKED = re.compile(r"<[a-z][a-z0-9-]*:?\d*>|KNOWN_AFTER_APPLY|111111111111|\{\{resolve:|\*\*\*\*")


def _text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_text(item) for item in value]
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _recorded() -> list[tuple[Path, str]]:
    folder = shared("data", "cfn-templates", "localstack-changeset-cases")
    return [(path, step) for path in sorted(folder.rglob("*.json")) for step in ("1", "2")]


def test_values_are_those_that_aws_itself_evaluated() -> None:
    compared = 0
    for path, step in _recorded():
        case = json.loads(path.read_text())
        template = case.get(f"template_{step}")
        recording = (case.get("recorded") or {}).get(f"describe-change-set-{step}-prop-values")
        if not isinstance(template, dict) or not recording or "Fn::Transform" in json.dumps(template):
            continue
        if template.get("Transform") not in (None, "AWS::Serverless-2016-10-31"):
            continue
        given = case.get(f"parameters_{step}") or {}
        if isinstance(given, list):
            given = {item["ParameterKey"]: item.get("ParameterValue") for item in given}
        resolved = resolve(load_template(json.dumps(template)), ResolveContext(parameters=given))
        for change in recording.get("Changes", []):
            after = (change["ResourceChange"].get("AfterContext") or {}).get("Properties") or {}
            ours = resolved.resource(change["ResourceChange"]["LogicalResourceId"])
            for name, value in after.items():
                if MASKED.search(json.dumps(value)) or (ours is None and "Transform" not in template):
                    continue
                assert ours is not None
                assert _text(ours.properties.get(name)) == _text(value), f"{path.name} {step} {name}"
                compared += 1
    assert compared > 90


def test_the_command_answers_in_the_promised_form(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(
        "Parameters: {P: {Type: String}}\nConditions: {C: !Equals [!Ref P, x]}\nResources:\n"
        "  T: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub '${P}-${AWS::StackName}', KmsMasterKeyId: !Ref K}}\n"
        "  K: {Type: AWS::KMS::Key}\n  Gone: {Type: AWS::KMS::Key, Condition: C}\n"
    )
    context = tmp_path / "context.json"
    context.write_text(
        json.dumps({"physical_ids": {}, "attributes": {}, "exports": {}, "availability_zones": ["a"]})
    )
    command = [
        sys.executable,
        "-m",
        "driftguard",
        "resolve",
        str(file),
        "--parameter",
        "P=p=q",
        "--stack-name",
        "s",
    ]
    done = subprocess.run(
        [*command, "--region", "eu-west-1", "--account-id", "1", "--context", str(context), "--output", "json"],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert json.loads(done.stdout) == {
        "resources": {
            "T": {
                "Type": "AWS::SNS::Topic",
                "Properties": {"TopicName": "p=q-s", "KmsMasterKeyId": {"Ref": "K"}},
            },
            "K": {"Type": "AWS::KMS::Key", "Properties": {}},
        },
        "absent": ["Gone"],
        "unknown": [
            {
                "path": "/T/Properties/KmsMasterKeyId",
                "reason": "id of a resource that does not exist yet",
                "line": 4,
            }
        ],
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["missing.yaml"], "missing.yaml: this cannot be read"),
        (["t.yaml", "--parameter", "P"], "--parameter P has no value"),
        (["t.yaml", "--context", "wrong.json"], "a context has no field physical"),
        (["t.yaml", "--parameter", "P=z"], "is not one of its AllowedValues"),
    ],
)
def test_a_wrong_call_fails_with_a_sentence(
    arguments: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from driftguard.cli.root import run

    monkeypatch.chdir(tmp_path)
    Path("t.yaml").write_text(
        "Parameters: {P: {Type: String, AllowedValues: [a]}}\nResources: {T: {Type: X, Properties: {V: !Ref P}}}\n"
    )
    Path("wrong.json").write_text('{"physical": {}}')
    assert run(["resolve", *arguments]) == 2
    assert says in capsys.readouterr().err
