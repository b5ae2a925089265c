"""What AWS or a service puts on a resource itself is no drift of it; what only looks so is."""

from __future__ import annotations

from typing import Any

import pytest

from driftguard.declared.out_of_band import out_of_band
from driftguard.model import DeclaredResource, Resource, ResourceKey, Source

ACCOUNT, REGION = "123456789012", "eu-west-1"


def found(parent: str, child: str, link: dict[str, Any], **more: Any) -> list[str]:
    (name, value), *_ = link.items()
    declared = DeclaredResource(
        type=parent,
        logical_id="P",
        properties=more.pop("declared", {}),
        account=ACCOUNT,
        region=REGION,
        physical_id=value,
        identifier=value,
    )
    key = ResourceKey(account=ACCOUNT, region=REGION, type=child, identifier=more.pop("identifier", value))
    live = Resource(key=key, properties={name: value, **more}, source=Source.CLOUD_CONTROL)
    return [one.path for one in out_of_band([declared], [live])]


def statement(**changes: Any) -> dict[str, Any]:
    delivery = {
        "Sid": "AWSLogDeliveryWrite",
        "Effect": "Allow",
        "Principal": {"Service": "delivery.logs.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "*",
    }
    return {"PolicyDocument": {"Statement": [{**delivery, **changes}]}}


BUCKET = ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", {"Bucket": "b"})
TOPIC = ("AWS::SNS::Topic", "AWS::SNS::TopicInlinePolicy", {"TopicArn": "t"})
GROUP = (
    "AWS::AutoScaling::AutoScalingGroup",
    "AWS::AutoScaling::LifecycleHook",
    {"AutoScalingGroupName": "g"},
)
OWN = {"StringEquals": {"AWS:SourceOwner": ACCOUNT}}


@pytest.mark.parametrize(
    ("kind", "more", "paths"),
    [
        (BUCKET, statement(), []),
        (BUCKET, statement(Principal="*"), ["/(AWS::S3::BucketPolicy)"]),
        (BUCKET, statement(Action="s3:*"), ["/(AWS::S3::BucketPolicy)"]),
        (TOPIC, statement(Sid="__default_statement_ID", Principal={"AWS": "*"}, Condition=OWN), []),
        (
            TOPIC,
            statement(Sid="__default_statement_ID", Principal={"AWS": "*"}),
            ["/(AWS::SNS::TopicInlinePolicy)"],
        ),
        (GROUP, {"LifecycleHookName": "CodeDeploy-managed-automatic-launch-deployment-hook-x"}, []),
        (
            GROUP,
            {"LifecycleHookName": "mine", "identifier": "g|mine"},
            ["/(AWS::AutoScaling::LifecycleHook)/g|mine"],
        ),
        (GROUP, {"LifecycleHookName": "m", "declared": {"LifecycleHookSpecificationList": [{}, 1]}}, []),
    ],
)
def test_only_what_nobody_made_by_design_is_drift(
    kind: tuple[str, str, dict[str, Any]], more: dict[str, Any], paths: list[str]
) -> None:
    parent, child, link = kind
    assert found(parent, child, link, **more) == paths
