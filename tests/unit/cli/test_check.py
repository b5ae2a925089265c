"""`driftguard check` as a pipeline sees it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from driftguard.cli.root import run
from tests.published_files import junit_faults
from tests.shared_data import shared

YAML = """\
Parameters:
  Mode: {Type: String, Default: Suspended}
Resources:
  Docs:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration:
        Status: !Ref Mode
  Logs:
    Type: AWS::S3::Bucket
    Metadata:
      driftguard:
        waive: [{policy: S3_BUCKET_VERSIONING_ENABLED, reason: holds short-lived logs}]
  Quiet:
    Type: AWS::S3::Bucket
    Metadata: {guard: {SuppressedRules: [S3_BUCKET_VERSIONING_ENABLED]}}
  Later:
    Type: AWS::S3::Bucket
    Properties: {VersioningConfiguration: {Status: !ImportValue status}}
"""
ONLY = ("--policy", "S3_BUCKET_VERSIONING_ENABLED")


@pytest.fixture
def template(tmp_path: Path) -> Path:
    (tmp_path / "t.yaml").write_text(YAML, encoding="utf-8")
    return tmp_path / "t.yaml"


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run(["check", *arguments])
    found = capsys.readouterr()
    assert found.out, (code, found.err)
    return code, found.out


def statuses(text: str) -> dict[str, str]:
    return {one["logical_id"]: one["status"] for one in json.loads(text)["results"]}


def test_json_names_status_and_line(template: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = check(capsys, str(template), *ONLY, "--output", "json")
    answer = json.loads(out)
    assert code == 1
    assert statuses(out) == {
        "Docs": "NON_COMPLIANT",
        "Logs": "WAIVED",
        "Quiet": "SKIP",
        "Later": "INSUFFICIENT_DATA",
    }
    (docs,) = [one for one in answer["results"] if one["logical_id"] == "Docs"]
    assert docs["line"] == 8
    assert docs["path"] == "/VersioningConfiguration/Status"
    assert docs["policy"] == "S3_BUCKET_VERSIONING_ENABLED"
    assert docs["severity"] == "MEDIUM"
    assert answer["summary"]["NON_COMPLIANT"] == answer["summary"]["WAIVED"] == 1
    assert answer["errors"] == []


@pytest.mark.parametrize(("fail_on", "code"), [("low", 1), ("medium", 1), ("high", 0), ("never", 0)])
def test_fail_on_sets_the_exit_code(
    fail_on: str, code: int, template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(capsys, str(template), *ONLY, "--fail-on", fail_on)[0] == code


PLAIN = {"Mode": "Enabled", "NotOfThisTemplate": "x"}


@pytest.mark.parametrize(
    "content",
    [PLAIN, {"Parameters": PLAIN, "Tags": {}}, [{"ParameterKey": "Mode", "ParameterValue": "Enabled"}]],
    ids=["map", "CodePipeline", "command line"],
)
def test_a_parameter_file_is_an_environment(
    content: Any, template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prod = template.parent / "prod.json"
    prod.write_text(json.dumps(content), encoding="utf-8")
    dev = template.parent / "dev.json"
    dev.write_text("{}", encoding="utf-8")
    _, out = check(
        capsys, str(template), *ONLY, "--parameters", str(prod), "--parameters", str(dev), "-o", "json"
    )
    docs = {
        one["environment"]: one["status"] for one in json.loads(out)["results"] if one["logical_id"] == "Docs"
    }
    assert docs == {"prod": "COMPLIANT", "dev": "NON_COMPLIANT"}


def test_sarif_and_junit_hold_the_fault(template: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = check(capsys, str(template), *ONLY, "--output", "sarif")
    found = json.loads(out)["runs"][0]
    faults = [one for one in found["results"] if "suppressions" not in one]
    assert faults[0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 8
    assert {rule["id"] for rule in found["tool"]["driver"]["rules"]} == {"S3_BUCKET_VERSIONING_ENABLED"}
    _, out = check(capsys, str(template), *ONLY, "--output", "junit")
    assert junit_faults(out) == []
    suite = ElementTree.fromstring(out).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "1", "3")
    fault = suite.find("testcase/failure")
    assert fault is not None and f"{template}:8 /VersioningConfiguration/Status" in (fault.text or "")


def test_a_folder_with_a_broken_template_is_an_error_and_the_rest_is_judged(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (template.parent / "broken.yaml").write_text(
        "Resources:\n  A: {Type: AWS::S3::Bucket, [\n", encoding="utf-8"
    )
    (template.parent / "notes.yaml").write_text("hello: world\n", encoding="utf-8")
    code, out = check(capsys, str(template.parent), *ONLY, "-o", "json")
    assert code == 2
    assert len(json.loads(out)["errors"]) == 1
    assert "broken.yaml" in json.loads(out)["errors"][0]
    assert statuses(out)["Docs"] == "NON_COMPLIANT"
    _, out = check(capsys, str(template.parent), *ONLY, "-o", "junit")
    assert junit_faults(out) == []
    assert [one.get("errors") for one in ElementTree.fromstring(out).iter("testsuite")] == ["0", "1"]


def test_a_bad_policy_of_ones_own_is_an_error_and_the_rest_is_judged(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = template.parent / "own"
    own.mkdir()
    (own / "bad.yaml").write_text("id: X\n", encoding="utf-8")
    code, out = check(capsys, str(template), *ONLY, "--folder", str(own), "-o", "json")
    assert code == 2
    assert "bad.yaml:1" in json.loads(out)["errors"][0]
    assert statuses(out)["Docs"] == "NON_COMPLIANT"


def test_a_waiver_without_a_reason_does_not_count_and_is_told_of(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template.write_text(YAML.replace(", reason: holds short-lived logs", ""), encoding="utf-8")
    run(["check", str(template), *ONLY, "-o", "json"])
    found = capsys.readouterr()
    assert statuses(found.out)["Logs"] == "NON_COMPLIANT"
    assert "t.yaml:9: Metadata.driftguard.waive of S3_BUCKET_VERSIONING_ENABLED gives no reason" in found.err


def test_a_waiver_that_accepts_nothing_is_told_of(template: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = YAML.replace("logs}]", "logs}]\n    Properties: {VersioningConfiguration: {Status: Enabled}}")
    template.write_text(kept, encoding="utf-8")
    run(["check", str(template), *ONLY])
    idle = "Metadata.driftguard.waive of S3_BUCKET_VERSIONING_ENABLED matches no fault; it can go."
    assert idle in capsys.readouterr().err
    template.write_text(
        YAML.replace("policy: S3_BUCKET_VERSIONING", "policy: S3_BUCKET_VERSONING"), encoding="utf-8"
    )
    run(["check", str(template), *ONLY])
    assert "waive names S3_BUCKET_VERSONING_ENABLED, which is no policy." in capsys.readouterr().err


def test_text_says_in_which_environment_a_fault_is(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, mode in (("prod", "Enabled"), ("dev", "Suspended"), ("test", "Suspended")):
        (template.parent / f"{name}.json").write_text(json.dumps({"Mode": mode}), encoding="utf-8")
    files = [
        word
        for name in ("prod", "dev", "test")
        for word in ("--parameters", str(template.parent / f"{name}.json"))
    ]
    _, out = check(capsys, str(template), *ONLY, *files)
    faults = [line for line in out.splitlines() if " Docs: " in line]
    assert len(faults) == 1
    assert faults[0].endswith("(dev, test)")


def test_an_unknown_policy_or_framework_is_an_error(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", str(template), "--policy", "NOPE"]) == 2
    assert run(["check", str(template), "--framework", "NOPE"]) == 2
    assert "no policy" in capsys.readouterr().err


def test_a_framework_narrows(template: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = check(capsys, str(template), "--framework", "k-isms", "-o", "json")
    judged = {one["policy"] for one in json.loads(out)["results"]}
    assert "S3_BUCKET_VERSIONING_ENABLED" in judged
    assert "CFN_NO_EXPLICIT_RESOURCE_NAMES" not in judged


def test_the_recorded_cases_are_judged_right() -> None:
    """The Guard Rules Registry's own cases, by the measure that everybody uses."""
    tool = shared("tools", "score_policies.py")
    cases = shared("data", "rule-cases", "dev.jsonl")
    done = subprocess.run(
        [sys.executable, str(tool), str(cases), "--json", "--command", f"{sys.executable} -m driftguard check --output json"],
        capture_output=True, text=True, cwd=Path(__file__).parents[3], timeout=240, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert found["judged_right_percent"] == 100
    assert found["rules_unknown"] == 0
