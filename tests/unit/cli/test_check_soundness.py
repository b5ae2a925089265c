"""What `driftguard check` says of a template that it cannot judge, and that it is silent on a sound one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from driftguard.cli.root import run
from tests.published_files import junit_faults
from tests.shared_data import shared

ONLY = ("--policy", "S3_BUCKET_VERSIONING_ENABLED")


def check(
    capsys: pytest.CaptureFixture[str], folder: Path, text: str, *options: str, name: str = "t.yaml"
) -> tuple[int, str]:
    (folder / name).write_text(text, encoding="utf-8")
    code = run(["check", str(folder / name), *ONLY, *options])
    return code, capsys.readouterr().out


def remarks(
    capsys: pytest.CaptureFixture[str], folder: Path, text: str
) -> tuple[int, list[tuple[str, str, int | None, str]]]:
    code, out = check(capsys, folder, text, "--output", "json")
    found: list[dict[str, Any]] = json.loads(out)["remarks"]
    return code, [(one["kind"], one["logical_id"], one["line"], one["message"]) for one in found]


BROKEN = """\
Parameters: {Name: {Type: String}}
Conditions: {IsProd: !Equals [!Ref Nam, prod]}
Resources:
  Logs:
    Type: AWS::S3::Bukket
    Properties:
      PublicAccessBlockConfiguratio: {BlockPublicAcls: true}
  Docs:
    Type: AWS::S3::Bucket
    DependsOn: [Log]
    Condition: IsPrd
    Properties:
      VersioningConfiguration: {Status: Enabled}
      BucketNam: foo
      Tags:
        - {Key: a, Value: !Ref Nmae}
        - {Key: b, Value: !GetAtt Docs.Arm}
        - {Key: c, Value: !Sub "${Dogs.Arn} ${AWS::Regoin} ${!Literal} ${Name}"}
        - !If [Nope, {Key: d, Value: e}, !Ref AWS::NoValue]
Outputs:
  Arn: {Value: !GetAtt Gone.Arn, Condition: Other}
"""


def test_what_names_nothing_is_told_with_line_and_the_nearest_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = remarks(capsys, tmp_path, BROKEN)
    assert code == 2
    by_line = [(line, kind, message) for kind, _, line, message in sorted(found, key=lambda one: one[2] or 0)]
    expected = [
        (2, "DANGLING_REFERENCE", "Ref names Nam, and there is no such parameter or resource. Did you mean Name?"),
        (5, "UNKNOWN_TYPE", "there is no resource type AWS::S3::Bukket"),
        (10, "DANGLING_REFERENCE", "DependsOn names Log, and there is no such resource. Did you mean Logs?"),
        (11, "DANGLING_REFERENCE", "there is no condition IsPrd. Did you mean IsProd?"),
        (14, "UNKNOWN_PROPERTY", "AWS::S3::Bucket has no property BucketNam"),
        (16, "DANGLING_REFERENCE", "Ref names Nmae, and there is no such parameter or resource. Did you mean Name?"),
        (17, "DANGLING_REFERENCE", "Fn::GetAtt asks Docs for Arm, and AWS::S3::Bucket has no such attribute. Did you mean Arn?"),
        (18, "DANGLING_REFERENCE", "Fn::Sub names Dogs, and there is no such resource. Did you mean Logs?"),
        (18, "DANGLING_REFERENCE", "there is no pseudo parameter AWS::Regoin. Did you mean AWS::Region?"),
        (19, "DANGLING_REFERENCE", "there is no condition Nope."),
        (21, "DANGLING_REFERENCE", "there is no condition Other."),
        (21, "DANGLING_REFERENCE", "Fn::GetAtt names Gone, and there is no such resource."),
    ]  # fmt: skip
    assert [(line, kind) for line, kind, _ in by_line] == [(line, kind) for line, kind, _ in expected]
    for (_, _, message), (line, _, words) in zip(by_line, expected, strict=True):
        assert message.startswith(words), line


def test_the_counts_do_not_stand_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "Resources:\n  A: {Type: AWS::S3::Bukket}\n  B: {Type: AWS::S3::Bucket, Properties: {VersioningConfiguration: {Status: Enabled}}}\n"
    code, out = check(capsys, tmp_path, text)
    assert code == 0, "it may be newer than this release, and no pipeline may stand still for that"
    assert check(capsys, tmp_path, text, "--strict")[0] == 3
    assert ":2: WARNING UNKNOWN_TYPE A: there is no resource type AWS::S3::Bukket" in out
    assert "Did you mean AWS::S3::Bucket?" in out
    assert out.splitlines()[-1] == "1 template: 1 COMPLIANT; NOT ALL WAS JUDGED (1 warning)"


def test_a_misspelt_property_is_told_and_is_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "Resources:\n  B:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketNam: foo\n      VersioningConfiguration: {Status: Enabled}\n"
    code, out = check(capsys, tmp_path, text)
    assert code == 0
    assert ":5: WARNING UNKNOWN_PROPERTY B: AWS::S3::Bucket has no property BucketNam" in out
    assert "Did you mean BucketName?" in out
    assert out.splitlines()[-1] == "1 template: 1 COMPLIANT; 1 warning"


def test_a_fault_outranks_what_could_not_be_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = check(capsys, tmp_path, "Resources: {A: {Type: AWS::S3::Bukket}, B: {Type: AWS::S3::Bucket}}")
    assert code == 1


def test_sarif_and_junit_tell_it_and_give_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out = check(capsys, tmp_path, BROKEN, "--output", "sarif")
    (told,) = json.loads(out)["runs"][0]["invocations"]
    assert told["executionSuccessful"] is False
    assert len(told["toolExecutionNotifications"]) == 12
    assert told["toolExecutionNotifications"][0]["level"] == "warning"
    place = told["toolExecutionNotifications"][0]["locations"][0]["physicalLocation"]
    assert place["region"] == {"startLine": 5}
    assert json.loads(out)["runs"][0]["results"] == []
    _, out = check(capsys, tmp_path, BROKEN, "--output", "junit")
    assert junit_faults(out) == []
    root = ElementTree.fromstring(out)
    assert len(root.findall(".//error")) == 11
    assert len(root.findall(".//skipped")) == 1


SILENT = {
    "macro of an account": "Transform: [Ours]\nResources: {A: {Type: AWS::S3::Bukket, Properties: {B: !Ref Nope}}}",
    "macro in a section": "Resources:\n  Fn::Transform: {Name: Ours}\n  A: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Nope}}",
    "macro in properties": "Resources:\n  A: {Type: AWS::S3::Bucket, Properties: {Fn::Transform: {Name: Ours}, Odd: 1}}",
    "an include that is elsewhere": "Transform: {Name: AWS::Include, Parameters: {Location: s3://a/b}}\nResources: {A: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Nope}}}",
    "a loop that is not known": "Transform: AWS::LanguageExtensions\nParameters: {Names: {Type: CommaDelimitedList}}\nResources:\n  Fn::ForEach::Buckets: [Name, !Ref Names, {'B${Name}': {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Name}}}]\n  A: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Bone}}",
    "a loop that is known": "Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::Buckets: [Name, [one, two], {'B${Name}': {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Name}}}]\n  A: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Bone}}",
    "SAM": "Transform: AWS::Serverless-2016-10-31\nResources:\n  Api: {Type: AWS::Serverless::Api, Properties: {StageName: prod}}\n  Fn: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.12, Handler: a.b, InlineCode: x, AutoPublishAlias: live, Events: {Get: {Type: Api, Properties: {Path: /, Method: get}}}}}\nOutputs: {A: {Value: !GetAtt FnRole.Arn}, B: {Value: !Ref ApiStage}, E: {Value: !Ref ApiprodStage}, C: {Value: !Ref ServerlessRestApi}, D: {Value: !Ref Fn.Version}}",
    "stacks, custom resources and modules": "Parameters: {Ami: {Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>'}}\nMappings: {M: {a: {b: c}}}\nRules: {R: {Assertions: [{Assert: !Equals [!Ref Ami, x]}]}}\nResources:\n  S: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 'https://a'}}\n  C: {Type: 'Custom::Any', Properties: {ServiceToken: x, Odd: !GetAtt S.Outputs.Any}}\n  M: {Type: 'Own::S3::Bucket::MODULE', Properties: {X: !GetAtt C.What.Ever}}\n  A: {Type: AWS::S3::Bucket, DependsOn: MBucket, Properties: {BucketName: !Ref MBucket, AccessControl: !If [{'Fn::Equals': [a, b]}, Private, !Ref AWS::NoValue]}}\n  W: {Type: AWS::CDK::Metadata, Properties: {Analytics: v2}}\nOutputs: {A: {Value: !GetAtt M.Bucket.Arn}, B: {Value: !Ref Ami}, C: {Value: !FindInMap [M, a, b]}}",
}  # fmt: skip


@pytest.mark.parametrize("case", SILENT)
def test_nothing_is_said_of_what_is_sound_or_may_yet_change(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = remarks(
        capsys,
        tmp_path,
        SILENT[case],
    )
    assert found == []
    assert code == (0 if "Bucket," not in SILENT[case] else 1)


def test_a_type_of_ones_own_is_noted_until_its_schema_is_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from driftguard.schema import use_folder
    from driftguard.schema.accounts import save

    text = "Resources:\n  A: {Type: Own::App::Thing, Properties: {Nmae: a}}\n"
    code, found = remarks(capsys, tmp_path, text)
    assert code == 0
    assert [(kind, line) for kind, _, line, _ in found] == [("PRIVATE_TYPE", 2)]
    schema = {
        "typeName": "Own::App::Thing",
        "properties": {"Name": {"type": "string"}},
        "additionalProperties": False,
    }
    save(tmp_path / "schemas", "111111111111", "us-east-1", {"Own::App::Thing": json.dumps(schema)})
    monkeypatch.setenv("DRIFTGUARD_SCAN__SCHEMAS", str(tmp_path / "schemas"))
    try:
        code, found = remarks(capsys, tmp_path, text)
    finally:
        use_folder(None)
    assert [(kind, line) for kind, _, line, _ in found] == [("UNKNOWN_PROPERTY", 2)]


def test_published_templates_draw_no_remark(capsys: pytest.CaptureFixture[str]) -> None:
    """AWS's own samples, Solutions Constructs and reference stacks: they deploy as they are."""
    folders = [
        shared("data", "cfn-templates") / name
        for name in ("aws-cloudformation-templates", "aws-solutions-constructs", "ecs-refarch-cloudformation")
    ]
    run(["check", *map(str, folders), *ONLY, "--output", "json"])
    found = json.loads(capsys.readouterr().out)["remarks"]
    assert [(one["template"], one["message"]) for one in found] == []
