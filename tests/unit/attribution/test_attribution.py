"""Blame is given only to an event that names the resource."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from driftguard.attribution import attribute, parse_event
from driftguard.model import DifferenceType, Drift, DriftStatus, PropertyDifference, ResourceKey

KEY = ResourceKey(account="1" * 12, region="us-east-1", type="AWS::EC2::SecurityGroup", identifier="sg-0a1")


def event(name: str, request: dict[str, object], minute: int = 0, **more: object) -> dict[str, object]:
    record = {
        "eventTime": f"2026-03-01T02:{minute:02}:00Z",
        "userIdentity": {"arn": "arn:aws:sts::111111111111:assumed-role/admin/minji"},
        "userAgent": "console.amazonaws.com",
        "requestParameters": request,
        **more,
    }
    return {
        "EventId": f"{name}-{minute}",
        "EventName": name,
        "ReadOnly": "false",
        "EventTime": datetime(2026, 3, 1, 2, minute, tzinfo=UTC),
        "CloudTrailEvent": json.dumps(record),
    }


def drift(path: str = "/SecurityGroupIngress/0", status: DriftStatus = DriftStatus.MODIFIED) -> Drift:
    difference = PropertyDifference(
        path=path, expected=None, actual={"FromPort": 22}, type=DifferenceType.ADD
    )
    return Drift(key=KEY, status=status, physical_id="sg-0a1", differences=(difference,))


def blame(which: Drift, *events: dict[str, object]) -> str | None:
    parsed = [e for e in map(parse_event, events) if e]
    found = attribute(which, None, parsed)
    return found and f"{found.event}/{found.session}/{found.source}/{found.confidence}"


def test_the_event_that_names_resource_and_property_is_trusted_most() -> None:
    opened = event("AuthorizeSecurityGroupIngress", {"groupId": "sg-0a1"}, 1)
    tagged = event("CreateTags", {"resourcesSet": {"items": [{"resourceId": "sg-0a1"}]}}, 30)
    assert blame(drift(), opened, tagged) == "AuthorizeSecurityGroupIngress/minji/console/HIGH"


def test_nobody_is_named_when_no_event_names_the_resource() -> None:
    assert blame(drift(), event("AuthorizeSecurityGroupIngress", {"groupId": "sg-0b2"})) is None


def test_reads_failures_and_broken_records_do_not_count() -> None:
    failed = event("AuthorizeSecurityGroupIngress", {"groupId": "sg-0a1"}, errorCode="AccessDenied")
    read = event("DescribeSecurityGroups", {"groupId": "sg-0a1"}) | {"ReadOnly": "true"}
    broken = event("AuthorizeSecurityGroupIngress", {"groupId": "sg-0a1"}) | {"CloudTrailEvent": "{"}
    assert blame(drift(), failed, read, broken) is None


def test_a_deployment_is_never_the_drift() -> None:
    deployed = event(
        "AuthorizeSecurityGroupIngress", {"groupId": "sg-0a1"}, userAgent="cloudformation.amazonaws.com"
    )
    assert blame(drift(), deployed) is None


def test_a_deletion_is_explained_by_an_ending_only() -> None:
    gone = drift(status=DriftStatus.DELETED)
    deleted = event("DeleteSecurityGroup", {"groupId": "sg-0a1"}, 1)
    changed = event("AuthorizeSecurityGroupIngress", {"groupId": "sg-0a1"}, 9)
    assert blame(gone, deleted, changed) == "DeleteSecurityGroup/minji/console/HIGH"


def test_the_console_is_named_whatever_it_calls_itself() -> None:
    request = {"groupId": "sg-0a1"}
    name = "AuthorizeSecurityGroupIngress"
    for more in (
        {"userAgent": "AWS Internal"},
        {"userAgent": "AWS Internal Botocore/1.44.8"},
        {"userAgent": "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.750]"},
        {"userAgent": "Mozilla/5.0", "sessionCredentialFromConsole": "true"},
    ):
        assert blame(drift(), event(name, request, **more)) == f"{name}/minji/console/HIGH"
    by_service = {
        "userAgent": "AWS Internal",
        "userIdentity": {
            "arn": "arn:aws:sts::111111111111:assumed-role/admin/minji",
            "invokedBy": "autoscaling.amazonaws.com",
        },
    }
    assert (
        blame(drift(), event(name, request, **by_service)) == f"{name}/minji/autoscaling.amazonaws.com/HIGH"
    )


@pytest.mark.parametrize(
    ("agent", "source"),
    [
        ("aws-cli/2.17.40 md/awscrt#0.21.2 botocore/2.0", "CLI"),
        ("Boto3/1.40.1 md/Botocore#1.40.1", "SDK"),
        ("aws-sdk-go-v2/1.30.0 os/linux", "SDK"),
        ("APN/1.0 HashiCorp/1.0 Terraform/1.9.0 aws-sdk-go-v2/1.30.0", "Terraform"),
        ("curl/8.0", "unknown"),
    ],
)
def test_a_tool_is_called_by_its_name(agent: str, source: str) -> None:
    opened = event("AuthorizeSecurityGroupIngress", {"groupId": "sg-0a1"}, userAgent=agent)
    assert blame(drift(), opened) == f"AuthorizeSecurityGroupIngress/minji/{source}/HIGH"


def test_the_words_of_the_type_do_not_tell_its_properties_apart() -> None:
    outward = event("AuthorizeSecurityGroupEgress", {"groupId": "sg-0a1"})
    assert blame(drift(), outward) == "AuthorizeSecurityGroupEgress/minji/console/MEDIUM"


@pytest.mark.parametrize(
    ("kind", "identifier", "name", "request_", "made"),
    [
        ("AWS::S3::Bucket", "dump", "CreateBucket", {"bucketName": "dump"}, True),
        ("AWS::S3::Bucket", "dump", "PutBucketPolicy", {"bucketName": "dump"}, False),
        ("AWS::EC2::VPC", "vpc-1", "CreateVpc", {"vpcId": "vpc-1"}, True),
        ("AWS::EC2::VPC", "vpc-1", "CreateVpcEndpoint", {"vpcId": "vpc-1"}, False),
        ("AWS::EC2::VPC", "vpc-1", "CreateSecurityGroup", {"vpcId": "vpc-1"}, False),
        ("AWS::EC2::VPC", "vpc-1", "CreateTags", {"resourceId": "vpc-1"}, False),
        ("AWS::EC2::Instance", "i-1", "RunInstances", {"instanceId": "i-1"}, True),
        ("AWS::CloudWatch::Alarm", "a", "PutMetricAlarm", {"alarmName": "a"}, True),
        ("AWS::Lambda::Function", "f", "CreateFunction20150331", {"functionName": "f"}, True),
        ("AWS::IAM::ManagedPolicy", "p", "CreatePolicy", {"policyName": "p"}, True),
        ("AWS::SQS::Queue", "q", "CreateResource", {"typeName": "AWS::SQS::Queue", "identifier": "q"}, True),
        ("AWS::SQS::Queue", "q", "CreateResource", {"typeName": "AWS::Lambda::Function", "role": "q"}, False),
    ],
)
def test_who_made_a_resource_is_who_made_that_resource(
    kind: str, identifier: str, name: str, request_: dict[str, object], made: bool
) -> None:
    key = ResourceKey(account="1" * 12, region="us-east-1", type=kind, identifier=identifier)
    stranger = Drift(key=key, status=DriftStatus.UNMANAGED, physical_id=identifier)
    expected = f"{name}/minji/console/HIGH" if made else None
    assert blame(stranger, event(name, request_)) == expected


def test_an_event_of_another_service_is_not_believed_for_the_same_name() -> None:
    service = ResourceKey(
        account="1" * 12, region="us-east-1", type="AWS::ECS::Service", identifier="shop|shop"
    )
    tags = PropertyDifference(path="/Tags", expected=None, actual=[], type=DifferenceType.ADD)
    tagged = Drift(key=service, status=DriftStatus.MODIFIED, physical_id="shop", differences=(tags,))
    other = event("AddTagsToResource", {"name": "shop"}, eventSource="rds.amazonaws.com")
    own = event("TagResource", {"name": "shop"}, eventSource="ecs.amazonaws.com")
    for_all = event(
        "UpdateResource", {"identifier": "shop|shop", "tags": 1}, eventSource="cloudcontrolapi.amazonaws.com"
    )
    assert blame(tagged, other) is None
    assert blame(tagged, other, own) == "TagResource/minji/console/HIGH"
    assert blame(tagged, for_all) is not None


def test_a_call_that_repeats_what_was_set_before_is_not_its_author() -> None:
    table = ResourceKey(account="1" * 12, region="us-east-1", type="AWS::DynamoDB::Table", identifier="cart")

    def moved(name: str, value: int) -> Drift:
        path = f"/ProvisionedThroughput/{name}CapacityUnits"
        one = PropertyDifference(path=path, expected=5, actual=value, type=DifferenceType.NOT_EQUAL)
        return Drift(key=table, status=DriftStatus.MODIFIED, physical_id="cart", differences=(one,))

    def update(minute: int, who: str, read: int, write: int) -> dict[str, object]:
        units = {"readCapacityUnits": read, "writeCapacityUnits": write}
        identity = {"arn": f"arn:aws:sts::111111111111:assumed-role/ops/{who}"}
        request = {"tableName": "cart", "provisionedThroughput": units}
        return event("UpdateTable", request, minute, userIdentity=identity)

    scaled, by_hand = update(1, "autoscaling", 12, 5), update(9, "junho", 12, 40)
    assert blame(moved("Read", 12), by_hand, scaled) == "UpdateTable/autoscaling/console/HIGH"
    assert blame(moved("Write", 40), by_hand, scaled) == "UpdateTable/junho/console/HIGH"


def test_cloudformation_explains_a_change_and_never_a_drift() -> None:
    deployed = event(
        "AuthorizeSecurityGroupIngress", {"groupId": "sg-0a1"}, userAgent="cloudformation.amazonaws.com"
    )
    [parsed] = [e for e in map(parse_event, [deployed]) if e]
    assert attribute(drift(), None, [parsed]) is None
    found = attribute(drift(), None, [parsed], deployment=True)
    assert found is not None and found.source == "CloudFormation"


def test_a_call_that_only_mentions_a_resource_of_another_service_did_not_change_it() -> None:
    arn = "arn:aws:kms:us-east-1:111111111111:key/3b80c318-c1e6-427b-beb8-105a607eab35"
    which = ResourceKey(
        account="1" * 12, region="us-east-1", type="AWS::KMS::Key", identifier=arn.rpartition("/")[2]
    )
    off = PropertyDifference(
        path="/EnableKeyRotation", expected=True, actual=False, type=DifferenceType.NOT_EQUAL
    )
    rotates = Drift(key=which, status=DriftStatus.MODIFIED, physical_id=which.identifier, differences=(off,))
    mentioned = event(
        "ModifyDBInstance",
        {"rotateMasterUserPassword": True, "enableKeyUse": True},
        9,
        eventSource="rds.amazonaws.com",
        responseElements={"kmsKeyId": arn},
    )
    disabled = event("DisableKeyRotation", {"keyId": arn}, 1, eventSource="kms.amazonaws.com")
    [later, sooner] = [e for e in map(parse_event, [mentioned, disabled]) if e]
    assert attribute(rotates, arn, [later]) is None
    found = attribute(rotates, arn, [later, sooner])
    assert found is not None and found.event == "DisableKeyRotation"


def test_the_services_of_types_are_told_as_the_trail_calls_them() -> None:
    """The names in CloudTrail that differ most from those of the types."""
    known = {
        "AWS::CloudWatch::Alarm": "monitoring",
        "AWS::ElasticLoadBalancingV2::Listener": "elasticloadbalancing",
        "AWS::StepFunctions::StateMachine": "states",
        "AWS::EFS::FileSystem": "elasticfilesystem",
        "AWS::ApplicationAutoScaling::ScalableTarget": "autoscaling",
        "AWS::OpenSearchService::Domain": "es",
        "AWS::CertificateManager::Certificate": "acm",
        "AWS::Cognito::UserPool": "cognito-idp",
        "AWS::Neptune::DBCluster": "rds",
        "AWS::MSK::Cluster": "kafka",
        "AWS::ApiGatewayV2::Api": "apigateway",
        "AWS::KinesisFirehose::DeliveryStream": "firehose",
    }
    for kind, source in known.items():
        which = ResourceKey(account="1" * 12, region="us-east-1", type=kind, identifier="shop")
        one = PropertyDifference(path="/Size", expected=1, actual=2, type=DifferenceType.NOT_EQUAL)
        changed = Drift(key=which, status=DriftStatus.MODIFIED, physical_id="shop", differences=(one,))
        call = event("Resize", {"name": "shop", "size": 2}, eventSource=f"{source}.amazonaws.com")
        assert blame(changed, call) == "Resize/minji/console/HIGH", kind
