"""Terraform: drift out of plans, inventory out of states, secrets out of neither."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from driftguard.declared.inventory import inventory
from driftguard.declared.secrets import REDACTED, is_secret_name
from driftguard.declared.terraform import TerraformKind, load_terraform, parse_terraform
from driftguard.declared.terraform_types import cloudformation_type
from driftguard.errors import InputError
from driftguard.model import DifferenceType, DriftStatus, Resource, ResourceKey, Source
from driftguard.schema.registry import registry
from tests.shared_data import shared

ARN = "arn:aws:sqs:eu-west-1:123456789012:q"


def _plan(*drifts: dict[str, Any], **more: Any) -> str:
    return json.dumps(
        {"format_version": "1.2", "resource_changes": [], "resource_drift": list(drifts), **more}
    )


def _drift(before: Any, after: Any, actions: list[str], **more: Any) -> dict[str, Any]:
    change = {"actions": actions, "before": before, "after": after, **more}
    return {"address": "aws_sqs_queue.q", "type": "aws_sqs_queue", "mode": "managed", "change": change}


def test_the_drift_that_terraform_found_is_ours() -> None:
    before = {"id": "q", "arn": ARN, "delay_seconds": 0, "tags": {"a": "1"}, "list": [1, 2], "empty": None}
    after = {**before, "delay_seconds": 5, "tags": {"b": "1"}, "list": [1, 3], "empty": ""}
    (found,) = parse_terraform(
        _plan(_drift(before, after, ["update"]), _drift(before, before, ["no-op"])), "p"
    ).drifts
    assert found.status is DriftStatus.MODIFIED
    assert (found.key.type, found.key.account, found.key.region) == (
        "AWS::SQS::Queue",
        "123456789012",
        "eu-west-1",
    )
    assert found.logical_id == "aws_sqs_queue.q"
    assert {(item.path, item.type, item.expected, item.actual) for item in found.differences} == {
        ("/delay_seconds", DifferenceType.NOT_EQUAL, 0, 5),
        ("/tags/a", DifferenceType.REMOVE, "1", None),
        ("/tags/b", DifferenceType.ADD, None, "1"),
        ("/list/1", DifferenceType.NOT_EQUAL, 2, 3),
    }


def test_what_is_gone_is_deleted() -> None:
    (found,) = parse_terraform(_plan(_drift({"id": "q", "arn": ARN}, None, ["delete"])), "p").drifts
    assert (found.status, found.physical_id, found.differences) == (DriftStatus.DELETED, "q", ())


def test_a_changed_secret_is_named_and_never_shown() -> None:
    marks = {"before_sensitive": {"deep": {"x": True}}, "after_sensitive": {"deep": {"x": True}}}
    before = {"id": "q", "deep": {"x": "one-secret"}, "master_password": "two-secret", "tags": {"k": "v"}}
    after = {"id": "q", "deep": {"x": "new-secret"}, "master_password": "other-secret", "tags": {"k": "w"}}
    document = parse_terraform(_plan(_drift(before, after, ["update"], **marks)), "p")
    assert "secret" not in repr(document).replace("is_secret", "").replace("_secret_", "")
    differences = {item.path: item.actual for item in document.drifts[0].differences}
    assert differences == {"/deep/x": REDACTED, "/master_password": REDACTED, "/tags/k": "w"}


STATE = {
    "version": 4, "serial": 1, "terraform_version": "1.9.0",
    "resources": [
        {"mode": "managed", "module": "module.m", "type": "aws_sqs_queue", "name": "q", "provider": "p", "instances": [
            {"index_key": "a", "attributes": {"id": "https://q", "arn": ARN, "policy": "hunter2", "password": "hunter2"},
             "sensitive_attributes": [[{"type": "get_attr", "value": "policy"}]]},
            {"deposed": "x", "attributes": {"id": "old"}}]},
        {"mode": "data", "type": "aws_caller_identity", "name": "d", "instances": [{"attributes": {}}]},
        {"mode": "managed", "type": "null_resource", "name": "n", "instances": [{"attributes": {"id": "1"}}]},
        {"mode": "managed", "type": "aws_s3_bucket", "name": "b", "instances": [{"attributes": {"id": "b-1"}}]},
    ],
}  # fmt: skip


def test_a_state_is_an_inventory_without_secrets() -> None:
    document = parse_terraform(json.dumps(STATE), "s")
    assert document.kind is TerraformKind.STATE
    queue, null, bucket = document.resources
    assert queue.address == 'module.m.aws_sqs_queue.q["a"]'
    assert (queue.cloudformation_type, queue.account, queue.region) == (
        "AWS::SQS::Queue",
        "123456789012",
        "eu-west-1",
    )
    assert null.cloudformation_type is None
    assert bucket.cloudformation_type == "AWS::S3::Bucket"
    assert "hunter2" not in repr(document)


def test_managed_missing_unmanaged_and_what_cannot_be_said() -> None:
    def live(type_name: str, identifier: str, arn: str | None = None) -> Resource:
        key = ResourceKey(account="123456789012", region="eu-west-1", type=type_name, identifier=identifier)
        return Resource(key=key, properties={}, source=Source.CONFIG, arn=arn)

    resources = parse_terraform(json.dumps(STATE), "s").resources
    queue, other = live("AWS::SQS::Queue", "x", ARN), live("AWS::SQS::Queue", "y")
    stray = live("AWS::SNS::Topic", "t")
    found = inventory(resources, [queue, other, stray], listed={"AWS::SQS::Queue", "AWS::S3::Bucket"})
    assert [pair[1] for pair in found.managed] == [queue]
    assert [item.address for item in found.missing] == ["aws_s3_bucket.b"]
    assert found.unmanaged == (other,)
    assert [item.type for item in found.undecided] == ["null_resource"]
    assert inventory(resources, [], listed=()).missing == (), "a type that was not listed is not missing"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[]", "neither a Terraform state"),
        ('{"a": 1}', "neither a Terraform state"),
        ('{"format_version": "2.0"}', "format version 2.0 is newer"),
        ('{"version": 3, "serial": 1, "modules": []}', "version 3 are not read"),
        ('{"format_version": "1.0", "resource_drift": [{"address": "a"}]}', "has no 'change'"),
    ],
)
def test_what_is_no_terraform_is_refused_with_a_reason(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        parse_terraform(text, "file")
    assert caught.value.where is not None


def test_the_states_and_plans_of_others_parse() -> None:
    states = plans = 0
    for path in sorted(shared("data", "tfstate").rglob("*")):
        if path.suffix not in (".json", ".tfstate") or "golden" in path.name:
            continue
        if path.name in ("invalid.tfstate", "policy.json") or path.name.startswith("output_"):
            with pytest.raises(InputError):
                load_terraform(path)
            continue
        document = load_terraform(path)
        states += document.kind is TerraformKind.STATE
        plans += document.kind is TerraformKind.PLAN
        for resource in document.resources:
            assert resource.cloudformation_type is None or registry().get(resource.cloudformation_type), (
                resource.type
            )
    assert (states, plans) >= (40, 15)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_powershells_encodings_are_read(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_bytes(json.dumps(STATE).encode(encoding))
    assert len(load_terraform(file).resources) == 3


@pytest.mark.parametrize(
    ("terraform", "cloudformation"),
    [
        ("aws_lb", "AWS::ElasticLoadBalancingV2::LoadBalancer"),
        ("aws_lb_listener", "AWS::ElasticLoadBalancingV2::Listener"),
        ("aws_subnet", "AWS::EC2::Subnet"),
        ("aws_cloudwatch_log_group", "AWS::Logs::LogGroup"),
        ("aws_rds_cluster", "AWS::RDS::DBCluster"),
        ("aws_iam_policy", "AWS::IAM::ManagedPolicy"),
        ("aws_dynamodb_table", "AWS::DynamoDB::Table"),
        ("aws_s3_bucket_versioning", None),
        ("google_storage_bucket", None),
    ],
)
def test_types_in_cloudformations_words(terraform: str, cloudformation: str | None) -> None:
    assert cloudformation_type(terraform) == cloudformation


@pytest.mark.parametrize(
    ("name", "secret"),
    [("password", True), ("master_password", True), ("MasterUserPassword", True), ("SecretString", True), ("auth_token", True),
     ("client_secret", True), ("user_data", True), ("password_policy", False), ("secret_arn", False), ("kms_key_id", False), ("tags", False)],
)  # fmt: skip
def test_secrets_are_told_by_their_names(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret
