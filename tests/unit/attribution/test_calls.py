"""A call must be one that does such a thing to such a resource."""

from __future__ import annotations

from typing import Any

import pytest

from driftguard.model import Drift
from tests.told import by_hand, call, changed, gone, who

DB = {
    "dBInstanceIdentifier": "db",
    "deletionProtection": True,
    "enabledCloudwatchLogsExports": ["error"],
    "multiAZ": True,
}


@pytest.mark.parametrize(
    ("kind", "identifier", "name", "request_", "ends"),
    [
        ("AWS::S3::Bucket", "logs", "s3:DeleteBucketTagging", {"bucketName": "logs"}, False),
        ("AWS::S3::Bucket", "logs", "s3:DeleteBucketPolicy", {"bucketName": "logs"}, False),
        ("AWS::S3::Bucket", "logs", "s3:DeletePublicAccessBlock", {"bucketName": "logs"}, False),
        ("AWS::S3::Bucket", "logs", "s3:DeleteBucket", {"bucketName": "logs"}, True),
        ("AWS::S3::BucketPolicy", "logs", "s3:DeleteBucketPolicy", {"bucketName": "logs"}, True),
        ("AWS::IAM::Role", "app", "iam:DetachRolePolicy", {"roleName": "app"}, False),
        ("AWS::IAM::Role", "app", "iam:DeleteRolePolicy", {"roleName": "app"}, False),
        ("AWS::IAM::Role", "app", "iam:RemoveRoleFromInstanceProfile", {"roleName": "app"}, False),
        ("AWS::IAM::Role", "app", "iam:DeleteRole", {"roleName": "app"}, True),
        ("AWS::IAM::InstanceProfile", "p", "iam:RemoveRoleFromInstanceProfile", {"instanceProfileName": "p"}, False),
        ("AWS::EC2::RouteTable", "rtb-1", "ec2:DeleteRoute", {"routeTableId": "rtb-1"}, False),
        ("AWS::EC2::RouteTable", "rtb-1", "ec2:DeleteRouteTable", {"routeTableId": "rtb-1"}, True),
        ("AWS::EC2::VPC", "vpc-1", "ec2:DetachInternetGateway", {"vpcId": "vpc-1"}, False),
        ("AWS::EC2::VPCGatewayAttachment", "IGW|vpc-1", "ec2:DetachInternetGateway", {"vpcId": "vpc-1"}, False),
        ("AWS::EC2::EIP", "eipalloc-1", "ec2:DisassociateAddress", {"allocationId": "eipalloc-1"}, False),
        ("AWS::EC2::EIP", "eipalloc-1", "ec2:ReleaseAddress", {"allocationId": "eipalloc-1"}, True),
        ("AWS::EC2::Instance", "i-1", "ec2:TerminateInstances", {"instancesSet": {"items": [{"instanceId": "i-0"}, {"instanceId": "i-1"}]}}, True),
        ("AWS::EC2::SubnetRouteTableAssociation", "rtbassoc-1", "ec2:DisassociateRouteTable", {"associationId": "rtbassoc-1"}, True),
        ("AWS::RDS::DBInstance", "db", "rds:DeleteDBInstance", {"dBInstanceIdentifier": "db"}, True),
        ("AWS::RDS::DBInstance", "db", "rds:DeleteDBSnapshot", {"dBInstanceIdentifier": "db"}, False),
        ("AWS::KMS::Key", "k", "kms:ScheduleKeyDeletion", {"keyId": "k"}, True),
        ("AWS::KMS::Key", "k", "kms:DisableKey", {"keyId": "k"}, False),
        ("AWS::CloudWatch::Alarm", "a", "monitoring:DeleteAlarms", {"alarmNames": ["b", "a"]}, True),
        ("AWS::CloudWatch::Alarm", "a", "monitoring:DisableAlarmActions", {"alarmNames": ["a"]}, False),
        ("AWS::Events::Rule", "r", "events:DisableRule", {"name": "r"}, False),
        ("AWS::Events::Rule", "r", "events:RemoveTargets", {"rule": "r"}, False),
        ("AWS::SNS::Subscription", "s", "sns:Unsubscribe", {"subscriptionArn": "s"}, True),
        ("AWS::Lambda::Function", "f", "lambda:DeleteFunction20150331", {"functionName": "f"}, True),
        ("AWS::Lambda::Function", "f", "lambda:RemovePermission20150331v2", {"functionName": "f"}, False),
        ("AWS::ECS::TaskDefinition", "t", "ecs:DeregisterTaskDefinition", {"taskDefinition": "t"}, True),
        ("AWS::AutoScaling::AutoScalingGroup", "g", "autoscaling:TerminateInstanceInAutoScalingGroup", {"autoScalingGroupName": "g"}, False),
        ("AWS::CloudFormation::Stack", "s", "cloudformation:DeleteStack", {"stackName": "s"}, True),
        ("AWS::SQS::Queue", "q", "cloudcontrolapi:DeleteResource", {"typeName": "AWS::SQS::Queue", "identifier": "q"}, True),
        ("AWS::SQS::Queue", "q", "cloudcontrolapi:DeleteResource", {"typeName": "AWS::SNS::Topic", "identifier": "q"}, False),
    ],
)  # fmt: skip
def test_what_is_gone_was_deleted_by_a_call_that_deletes_it(
    kind: str, identifier: str, name: str, request_: dict[str, Any], ends: bool
) -> None:
    expected = f"bob {name.rpartition(':')[2]} HIGH" if ends else None
    assert who(gone(kind, identifier), call(name, request_)) == expected


@pytest.mark.parametrize(
    ("drift", "name", "request_", "response"),
    [
        (changed("AWS::RDS::DBInstance", "db", "/MultiAZ", True, False), "rds:RebootDBInstance", {"dBInstanceIdentifier": "db"}, DB),
        (changed("AWS::CodeBuild::Project", "ci", "/Environment/ComputeType", "SMALL_1", "LARGE_1"), "codebuild:StartBuild",
         {"projectName": "ci", "environmentVariablesOverride": [{"name": "X"}]}, {"build": {"environment": {"computeType": "LARGE_1"}}}),
        (changed("AWS::IAM::Role", "app", "/ManagedPolicyArns/0", None, "arn:aws:iam::aws:policy/A"), "iam:AttachUserPolicy",
         {"userName": "app", "policyArn": "arn:aws:iam::aws:policy/A"}, None),
        (changed("AWS::IAM::Role", "app", "/Tags", None, []), "iam:TagUser", {"userName": "app", "tags": [{"key": "a"}]}, None),
        (changed("AWS::RDS::DBCluster", "app", "/Tags", None, []), "rds:ModifyDBClusterParameterGroup", {"dBClusterParameterGroupName": "app"}, None),
        (changed("AWS::EC2::SecurityGroup", "sg-1", "/SecurityGroupIngress/0", None, {}), "ec2:ModifyInstanceAttribute",
         {"instanceId": "i-1", "groupSet": {"items": [{"groupId": "sg-1"}]}}, None),
        (changed("AWS::EC2::SecurityGroup", "sg-1", "/SecurityGroupIngress/0", None, {}), "ec2:CreateTags",
         {"resourcesSet": {"items": [{"resourceId": "sg-1"}]}, "tagSet": {"items": [{"key": "ingress"}]}}, None),
        (changed("AWS::Lambda::Function", "f", "/Timeout", 3, 9), "lambda:Invoke", {"functionName": "f", "timeout": 9}, None),
        (changed("AWS::S3::Bucket", "logs", "/Tags", None, []), "cloudformation:UpdateStack", {"parameters": [{"parameterValue": "logs"}], "tags": []}, None),
        (changed("AWS::SQS::Queue", "q", "/DelaySeconds", 0, 5), "cloudcontrolapi:UpdateResource", {"typeName": "AWS::SNS::Topic", "identifier": "q"}, None),
    ],
)  # fmt: skip
def test_what_only_names_the_resource_did_not_change_it(
    drift: Drift, name: str, request_: dict[str, Any], response: Any
) -> None:
    assert who(drift, call(name, request_, responseElements=response)) is None


@pytest.mark.parametrize(
    ("drift", "name", "request_"),
    [
        (changed("AWS::CloudTrail::Trail", "t", "/IsLogging", True, False), "cloudtrail:StopLogging", {"name": "t"}),
        (changed("AWS::Events::Rule", "r", "/State", "ENABLED", "DISABLED"), "events:DisableRule", {"name": "r"}),
        (changed("AWS::KMS::Key", "k", "/EnableKeyRotation", True, False), "kms:DisableKeyRotation", {"keyId": "k"}),
        (changed("AWS::Config::ConfigurationRecorder", "d", "/Recording", True, False), "config:StopConfigurationRecorder", {"configurationRecorderName": "d"}),
        (changed("AWS::EC2::Instance", "i-1", "/Volumes/0", None, {}), "ec2:AttachVolume", {"instanceId": "i-1", "volumeId": "vol-1"}),
        (changed("AWS::IAM::Role", "app", "/Policies/0", None, {}), "iam:PutRolePolicy", {"roleName": "app", "policyName": "x"}),
        (changed("AWS::SQS::QueuePolicy", "q", "/PolicyDocument", {}, {}), "sqs:SetQueueAttributes", {"queueUrl": "q", "attributes": {"Policy": "{}"}}),
        (changed("AWS::Logs::LogGroup", "/shop", "/RetentionInDays", 30, 1), "logs:PutRetentionPolicy", {"logGroupName": "/shop", "retentionInDays": 1}),
    ],
)  # fmt: skip
def test_what_changes_the_resource_is_believed(drift: Drift, name: str, request_: dict[str, Any]) -> None:
    found = who(drift, call(name, request_))
    assert found is not None and found.startswith(f"bob {name.rpartition(':')[2]}")


def test_a_reboot_does_not_hide_who_changed_it_before() -> None:
    drift = changed("AWS::RDS::DBInstance", "db", "/EnableCloudwatchLogsExports/1", "audit", None)
    request = {
        "dBInstanceIdentifier": "db",
        "cloudwatchLogsExportConfiguration": {"disableLogTypes": ["audit"]},
    }
    told = [
        call("rds:ModifyDBInstance", request, 1, "alice", responseElements=DB),
        call("rds:RebootDBInstance", {"dBInstanceIdentifier": "db"}, 2, responseElements=DB),
    ]
    assert who(drift, *told) == "alice ModifyDBInstance HIGH"


@pytest.mark.parametrize(
    ("kind", "identifier", "name", "request_"),
    [
        ("AWS::EC2::Volume", "vol-1", "ec2:AttachVolume", {"volumeId": "vol-1"}),
        ("AWS::EC2::EIP", "eipalloc-1", "ec2:AssociateAddress", {"allocationId": "eipalloc-1"}),
        ("AWS::IAM::ManagedPolicy", "x", "iam:AttachRolePolicy", {"policyArn": "x"}),
    ],
)
def test_who_ties_a_resource_to_another_did_not_make_it(
    kind: str, identifier: str, name: str, request_: dict[str, Any]
) -> None:
    assert who(by_hand(kind, identifier), call(name, request_)) is None


def test_the_value_of_another_property_explains_nothing_surely() -> None:
    """Five seconds of another kind."""
    drift = changed("AWS::SQS::Queue", "q", "/DelaySeconds", 0, 5)
    waits = call(
        "sqs:SetQueueAttributes", {"queueUrl": "q", "attributes": {"ReceiveMessageWaitTimeSeconds": "5"}}
    )
    assert who(drift, waits) == "bob SetQueueAttributes MEDIUM"


@pytest.mark.parametrize(
    "more",
    [{"errorCode": "Client.DryRunOperation"}, {"errorCode": "AccessDenied"}, {"readOnly": True}],
)
def test_what_failed_or_only_looked_changed_nothing(more: dict[str, Any]) -> None:
    request = {"queueUrl": "q", "attributes": {"DelaySeconds": "5"}}
    assert (
        who(
            changed("AWS::SQS::Queue", "q", "/DelaySeconds", 0, 5),
            call("sqs:SetQueueAttributes", request, **more),
        )
        is None
    )


def test_a_rehearsal_that_succeeds_changed_nothing() -> None:
    drift = changed("AWS::Lambda::Function", "f", "/Code/S3Key", "a.zip", "b.zip")
    for dry, found in ((True, None), (False, "bob UpdateFunctionCode20150331v2 HIGH")):
        request = {"functionName": "f", "s3Key": "b.zip", "dryRun": dry}
        assert who(drift, call("lambda:UpdateFunctionCode20150331v2", request)) == found
    looked = call("lambda:GetFunctionConfiguration", {"functionName": "f", "s3Key": "b.zip"})
    assert who(drift, looked) is None


def test_a_caller_from_another_account_has_a_name_or_nobody_is_named() -> None:
    drift = changed("AWS::S3::Bucket", "logs", "/VersioningConfiguration/Status", "Enabled", "Suspended")
    request = {"bucketName": "logs", "VersioningConfiguration": {"Status": "Suspended"}}
    stranger = {"type": "AWSAccount", "principalId": "AROAX:deploy", "accountId": "9" * 12}
    assert (
        who(drift, call("s3:PutBucketVersioning", request, userIdentity=stranger))
        == "AROAX:deploy PutBucketVersioning HIGH"
    )
    assert who(drift, call("s3:PutBucketVersioning", request, userIdentity={"type": "Unknown"})) is None
