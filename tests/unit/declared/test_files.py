"""Baselines and CDK output."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from driftguard.declared.baseline import dump_baseline, load_baseline
from driftguard.declared.cdk import cdk_stacks, is_cdk_output
from driftguard.errors import InputError, TemplateError
from driftguard.model import Resource, ResourceKey, Source, Unknown

BUCKET = ResourceKey(account="123456789012", region="eu-west-1", type="AWS::S3::Bucket", identifier="b")
DB = ResourceKey(account="123456789012", region="eu-west-1", type="AWS::RDS::DBInstance", identifier="d")
AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


def test_a_recorded_state_comes_back_as_declared_state_without_its_secrets(tmp_path: Path) -> None:
    text = dump_baseline(
        [
            Resource(
                key=BUCKET,
                properties={"BucketName": "b", "Tags": [{"Key": "이름", "Value": "x"}]},
                source=Source.CONFIG,
            ),
            Resource(key=DB, properties={"MasterUserPassword": "hunter2", "Port": "1"}, source=Source.CONFIG),
        ],
        owner="team",
        reason="accepted",
        recorded_at=AT,
        ignore={"b": ["/Tags"]},
    )
    assert "hunter2" not in text
    file = tmp_path / "b.yaml"
    file.write_text(text, encoding="utf-8")
    db, bucket = load_baseline(file)
    assert (bucket.key, db.key) == (BUCKET, DB)
    assert bucket.properties == {"BucketName": "b", "Tags": [{"Key": "이름", "Value": "x"}]}
    assert isinstance(db.properties["MasterUserPassword"], Unknown)
    assert [(item.path, item.owner) for item in bucket.tolerated] == [("/Tags", "baseline of team")]
    line = bucket.locations["/BucketName"].line
    assert "BucketName: b" in text.split("\n")[line - 1]


@pytest.mark.parametrize(
    ("change", "says", "line"),
    [
        (("baseline: 1", "baseline: 2"), "baseline: input should be 1", 1),
        (("owner: team", "owner: ''"), "owner:", 2),
        (("2026-11-21T02:00:00+00:00", "2026-11-21T02:00:00"), "recorded_at:", 4),
        (("identifier: b", "identifer: b"), "identifier: field required", 6),
        (("'123456789012'", "'12'"), "account:", 6),
    ],
)
def test_a_wrong_baseline_says_where(change: tuple[str, str], says: str, line: int, tmp_path: Path) -> None:
    text = dump_baseline(
        [Resource(key=BUCKET, properties={}, source=Source.CONFIG)], owner="team", reason="r", recorded_at=AT
    )
    assert change[0] in text
    file = tmp_path / "b.yaml"
    file.write_text(text.replace(*change))
    with pytest.raises(InputError) as caught:
        load_baseline(file)
    assert says in caught.value.message
    assert caught.value.where is not None
    assert caught.value.where.line == line


def _cdk(folder: Path) -> None:
    resources = {
        "B": {"Type": "AWS::S3::Bucket", "Metadata": {"aws:cdk:path": "App/B/Resource"}},
        "N": {"Type": "AWS::CloudFormation::Stack", "Metadata": {"aws:asset:path": "n.nested.template.json"}},
    }
    stack = {"type": "aws:cloudformation:stack", "environment": "aws://123456789012/eu-west-1",
             "properties": {"templateFile": "App.template.json", "stackName": "app", "parameters": {"P": "1"}, "tags": {"t": "v"}}}  # fmt: skip
    agnostic = {"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/unknown-region",
                "properties": {"templateFile": "S.template.json"}}  # fmt: skip
    stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Stage"}}
    (folder / "assembly-Stage").mkdir(parents=True)
    (folder / "cdk.out").write_text("{}")
    (folder / "App.template.json").write_text(json.dumps({"Resources": resources}))
    (folder / "n.nested.template.json").write_text(json.dumps({"Resources": {}}))
    (folder / "manifest.json").write_text(
        json.dumps({"artifacts": {"App": stack, "Stage": stage, "Tree": {"type": "cdk:tree"}}})
    )
    (folder / "assembly-Stage" / "manifest.json").write_text(json.dumps({"artifacts": {"S": agnostic}}))
    (folder / "assembly-Stage" / "S.template.json").write_text(json.dumps({"Resources": {}}))


def test_cdk_output_says_which_template_is_which_stack_where(tmp_path: Path) -> None:
    _cdk(tmp_path)
    assert is_cdk_output(tmp_path)
    app, staged = cdk_stacks(tmp_path)
    assert (app.stack_name, app.account, app.region, app.parameters, app.tags) == (
        "app",
        "123456789012",
        "eu-west-1",
        {"P": "1"},
        {"t": "v"},
    )
    assert list(app.nested) == ["N"]
    assert (staged.stack_name, staged.account, staged.region) == ("S", None, None)


def test_a_broken_manifest_is_a_template_error(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("[]")
    assert not is_cdk_output(tmp_path)
    with pytest.raises(TemplateError):
        list(cdk_stacks(tmp_path))
