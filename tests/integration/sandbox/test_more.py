"""Stack sets, imports, resource scans, Cloud Control, and the command."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from driftguard.sandbox.facade import Sandbox

ROOT = Path(__file__).parents[3]
TAGGED = """
Parameters: {Team: {Type: String, Default: none}}
Resources: {Q: {Type: AWS::SQS::Queue, Properties: {Tags: [{Key: team, Value: !Ref Team}]}}}
"""


def trust(principal: dict[str, str]) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def roles(sandbox: Sandbox, *accounts: str) -> None:
    sandbox.session().client("iam").create_role(
        RoleName="AWSCloudFormationStackSetAdministrationRole",
        AssumeRolePolicyDocument=trust({"Service": "cloudformation.amazonaws.com"}),
    )
    arn = "arn:aws:iam::111111111111:role/AWSCloudFormationStackSetAdministrationRole"
    for account in accounts:
        sandbox.session(account=account).client("iam").create_role(
            RoleName="AWSCloudFormationStackSetExecutionRole",
            AssumeRolePolicyDocument=trust({"AWS": arn}),
        )


def test_a_stack_set_needs_its_roles_and_finds_drift_in_its_instances(sandbox: Sandbox) -> None:
    cfn = sandbox.session().client("cloudformation")
    cfn.create_stack_set(StackSetName="base", TemplateBody=TAGGED)
    where: dict[str, Any] = {"Accounts": ["222222222222", "333333333333"], "Regions": ["us-east-1"]}
    roles(sandbox, "222222222222")
    overrides = [{"ParameterKey": "Team", "ParameterValue": "sre"}]
    run = cfn.create_stack_instances(StackSetName="base", ParameterOverrides=overrides, **where)[
        "OperationId"
    ]
    results = cfn.list_stack_set_operation_results(StackSetName="base", OperationId=run)["Summaries"]
    assert {r["Account"]: r["Status"] for r in results} == {
        "222222222222": "SUCCEEDED",
        "333333333333": "FAILED",
    }
    failed = next(r for r in results if r["Status"] == "FAILED")
    assert "should have 'AWSCloudFormationStackSetExecutionRole' role" in failed["StatusReason"]
    sqs = sandbox.session(account="222222222222", region="us-east-1").client("sqs")
    (url,) = sqs.list_queues()["QueueUrls"]
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "sre"}
    cfn.delete_stack_instances(
        StackSetName="base", Accounts=["333333333333"], Regions=["us-east-1"], RetainStacks=False
    )
    sqs.tag_queue(QueueUrl=url, Tags={"team": "nobody"})
    run = cfn.detect_stack_set_drift(StackSetName="base")["OperationId"]
    details = cfn.describe_stack_set_operation(StackSetName="base", OperationId=run)["StackSetOperation"]
    assert details["StackSetDriftDetectionDetails"]["DriftedStackInstancesCount"] >= 1
    (drift,) = cfn.list_stack_instance_resource_drifts(
        StackSetName="base",
        OperationId=run,
        StackInstanceAccount="222222222222",
        StackInstanceRegion="us-east-1",
    )["Summaries"]
    assert drift["PropertyDifferences"][0]["PropertyPath"] == "/Tags/0/Value"


def test_a_service_managed_stack_set_follows_the_organization(sandbox: Sandbox) -> None:
    session = sandbox.session()
    root = session.client("organizations", region_name="us-east-1").list_roots()["Roots"][0]["Id"]
    cfn = session.client("cloudformation")
    cfn.create_stack_set(
        StackSetName="base",
        TemplateBody=TAGGED,
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False},
    )
    targets = {"OrganizationalUnitIds": [root]}
    cfn.create_stack_instances(StackSetName="base", DeploymentTargets=targets, Regions=["us-east-1"])
    rows = cfn.list_stack_instances(StackSetName="base")["Summaries"]
    assert {(r["Account"], r["Status"]) for r in rows} == {
        ("222222222222", "CURRENT"),
        ("333333333333", "CURRENT"),
    }


def test_an_existing_resource_is_imported(sandbox: Sandbox) -> None:
    session = sandbox.session()
    cfn, sqs = session.client("cloudformation"), session.client("sqs")
    url = sqs.create_queue(QueueName="old", Attributes={"DelaySeconds": "3"})["QueueUrl"]
    cfn.create_stack(StackName="s", TemplateBody="Resources: {W: {Type: 'AWS::SQS::Queue'}}")
    body = """
    Resources:
      W: {Type: AWS::SQS::Queue}
      Q: {Type: AWS::SQS::Queue, DeletionPolicy: Retain, Properties: {QueueName: old, DelaySeconds: 0}}
    """
    wanted = {
        "ResourceType": "AWS::SQS::Queue",
        "LogicalResourceId": "Q",
        "ResourceIdentifier": {"QueueUrl": url},
    }
    names = {"StackName": "s", "ChangeSetName": "take-in"}
    cfn.create_change_set(**names, ChangeSetType="IMPORT", TemplateBody=body, ResourcesToImport=[wanted])
    (change,) = cfn.describe_change_set(**names)["Changes"]
    assert (change["ResourceChange"]["Action"], change["ResourceChange"]["PhysicalResourceId"]) == (
        "Import",
        url,
    )
    cfn.execute_change_set(**names)
    assert cfn.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"] == "IMPORT_COMPLETE"
    drift = cfn.detect_stack_resource_drift(StackName="s", LogicalResourceId="Q")["StackResourceDrift"]
    assert drift["PropertyDifferences"][0]["PropertyPath"] == "/DelaySeconds"
    cfn.delete_stack(StackName="s")
    assert sqs.list_queues()["QueueUrls"] == [url]


def test_a_scan_tells_managed_from_unmanaged(sandbox: Sandbox) -> None:
    session = sandbox.session()
    cfn = session.client("cloudformation")
    cfn.create_stack(StackName="s", TemplateBody="Resources: {Q: {Type: 'AWS::SQS::Queue'}}")
    by_hand = session.client("sqs").create_queue(QueueName="by-hand")["QueueUrl"]
    sandbox.clock.freeze()
    sandbox.timing["scan"] = 600
    scan = cfn.start_resource_scan()["ResourceScanId"]
    assert cfn.describe_resource_scan(ResourceScanId=scan)["Status"] == "IN_PROGRESS"
    with pytest.raises(ClientError, match="already in progress"):
        cfn.start_resource_scan()
    sandbox.clock.advance(601)
    assert cfn.describe_resource_scan(ResourceScanId=scan)["Status"] == "COMPLETE"
    rows = cfn.list_resource_scan_resources(ResourceScanId=scan, ResourceTypePrefix="AWS::SQS::Queue")[
        "Resources"
    ]
    queues = [r for r in rows if r["ResourceType"] == "AWS::SQS::Queue"]
    assert len(queues) == 2
    assert [r["ResourceIdentifier"]["QueueUrl"] for r in queues if not r["ManagedByStack"]] == [by_hand]


def test_cloud_control_reads_and_changes(sandbox: Sandbox) -> None:
    session = sandbox.session()
    control, sqs = session.client("cloudcontrol"), session.client("sqs")
    made = control.create_resource(
        TypeName="AWS::SQS::Queue", DesiredState=json.dumps({"QueueName": "q", "DelaySeconds": "5"})
    )["ProgressEvent"]
    assert made["OperationStatus"] == "SUCCESS"
    identifier = made["Identifier"]
    patch = [{"op": "replace", "path": "/DelaySeconds", "value": 7}]
    control.update_resource(
        TypeName="AWS::SQS::Queue", Identifier=identifier, PatchDocument=json.dumps(patch)
    )
    found = control.get_resource(TypeName="AWS::SQS::Queue", Identifier=identifier)["ResourceDescription"]
    assert json.loads(found["Properties"])["DelaySeconds"] == 7
    listed = control.list_resources(TypeName="AWS::SQS::Queue")["ResourceDescriptions"]
    assert [r["Identifier"] for r in listed] == [identifier]
    renamed = [{"op": "replace", "path": "/QueueName", "value": "other"}]
    failed = control.update_resource(
        TypeName="AWS::SQS::Queue", Identifier=identifier, PatchDocument=json.dumps(renamed)
    )["ProgressEvent"]
    assert (failed["OperationStatus"], failed["ErrorCode"]) == ("FAILED", "NotUpdatable")
    control.delete_resource(TypeName="AWS::SQS::Queue", Identifier=identifier)
    assert "QueueUrls" not in sqs.list_queues()


@pytest.mark.parametrize(
    ("type_name", "code"),
    [
        ("AWS::SQS::Queue", "ResourceNotFoundException"),
        ("AWS::Batch::JobQueue", "UnsupportedActionException"),
        ("AWS::No::Such", "TypeNotFoundException"),
    ],
)
def test_cloud_control_refuses_as_aws_does(sandbox: Sandbox, type_name: str, code: str) -> None:
    control = sandbox.session().client("cloudcontrol")
    with pytest.raises(ClientError) as caught:
        control.get_resource(TypeName=type_name, Identifier="nothing")
    assert caught.value.response["Error"]["Code"] == code


def test_what_a_patch_takes_away_from_a_bucket_is_gone(sandbox: Sandbox) -> None:
    """A new bucket blocks public access; one from which that is taken away does not."""
    control, s3 = sandbox.session().client("cloudcontrol"), sandbox.session().client("s3")
    control.create_resource(TypeName="AWS::S3::Bucket", DesiredState='{"BucketName": "b-open"}')
    assert s3.get_public_access_block(Bucket="b-open")
    patch = [
        {"op": "remove", "path": "/PublicAccessBlockConfiguration"},
        {"op": "remove", "path": "/BucketEncryption"},
    ]
    control.update_resource(TypeName="AWS::S3::Bucket", Identifier="b-open", PatchDocument=json.dumps(patch))
    with pytest.raises(ClientError, match="NoSuchPublicAccessBlockConfiguration"):
        s3.get_public_access_block(Bucket="b-open")
    assert s3.get_bucket_encryption(Bucket="b-open"), "no bucket is without"


def run_command(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "driftguard", "sandbox", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_command_serves_until_ctrl_c() -> None:
    process = run_command("--empty", "--port", "0", "--account", "444444444444")
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        url = next(line for line in lines if "AWS_ENDPOINT_URL" in line).strip().partition("=")[2]
        with urllib.request.urlopen(f"{url}/_sandbox/help", timeout=20) as answer:
            assert json.loads(answer.read())["accounts"] == ["444444444444"]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()


def test_a_port_that_is_taken_is_one_clear_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = run_command("--empty", "--port", str(taken.getsockname()[1]))
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "--port" in errors
    assert "Traceback" not in errors
