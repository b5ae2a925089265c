"""What counts as living outside of every stack."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from driftguard.model import DeclaredResource, Json, Resource, ResourceKey, Snapshot, Source
from driftguard.scan.readings import Readings
from driftguard.scan.unmanaged import unmanaged

ACCOUNT, REGION = "111111111111", "us-east-1"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
OWN = {
    "Sid": "__default_statement_ID",
    "Effect": "Allow",
    "Principal": {"AWS": "*"},
    "Action": "SNS:Publish",
    "Resource": TOPIC,
    "Condition": {"StringEquals": {"AWS:SourceOwner": ACCOUNT}},
}
OPEN = {"Effect": "Allow", "Principal": "*", "Action": "SNS:Publish", "Resource": TOPIC}


def live(type_name: str, identifier: str, **properties: Json) -> Resource:
    key = ResourceKey(account=ACCOUNT, region=REGION, type=type_name, identifier=identifier)
    return Resource(key=key, properties=properties, source=Source.CLOUD_CONTROL)


def told(*resources: Resource, declared: tuple[DeclaredResource, ...] = (), **more: Any) -> list[str]:
    place = frozenset({(ACCOUNT, REGION)})
    readings = Readings(
        declared=declared,
        snapshot=Snapshot(
            taken_at=datetime(2026, 11, 21, tzinfo=UTC), resources={one.key: one for one in resources}
        ),
        covered=place,
        **more,
    )
    managed = {one.key for one in declared if one.key is not None}
    return [drift.key.type for drift in unmanaged(readings, managed, ())]


def topic() -> DeclaredResource:
    return DeclaredResource(
        type="AWS::SNS::Topic",
        logical_id="Topic",
        properties={},
        account=ACCOUNT,
        region=REGION,
        physical_id=TOPIC,
        identifier=TOPIC,
    )


@pytest.mark.parametrize("statement", [OWN, OPEN])
def test_what_lies_on_a_declared_parent_is_told_with_the_parent(statement: Json) -> None:
    policy = live(
        "AWS::SNS::TopicInlinePolicy", TOPIC, TopicArn=TOPIC, PolicyDocument={"Statement": [statement]}
    )
    assert told(policy, declared=(topic(),)) == []
    assert told(policy) == ["AWS::SNS::TopicInlinePolicy"], (
        "without a declared parent nobody else tells of it"
    )


def test_the_routes_that_a_declared_table_is_born_with_are_nobodys_drift() -> None:
    table = DeclaredResource(
        type="AWS::EC2::RouteTable",
        logical_id="Table",
        properties={},
        account=ACCOUNT,
        region=REGION,
        physical_id="rtb-1",
        identifier="rtb-1",
    )
    route = live("AWS::EC2::Route", "rtb-1|10.0.0.0/16", RouteTableId="rtb-1", GatewayId="local")
    assert told(route, declared=(table,)) == []


def test_a_bucket_of_no_stack_is_told() -> None:
    assert told(live("AWS::S3::Bucket", "mine"), declared=(topic(),)) == ["AWS::S3::Bucket"]


@pytest.mark.parametrize(
    ("type_name", "identifier", "physical_id"),
    [
        ("AWS::SNS::Topic", TOPIC, TOPIC),
        ("AWS::Logs::MetricFilter", "/app|errors", "errors"),
    ],
)
def test_what_a_stack_holds_is_managed_though_the_stack_could_not_be_compared(
    type_name: str, identifier: str, physical_id: str
) -> None:
    found = live(type_name, identifier)
    assert told(found) == [type_name]
    assert told(found, held=frozenset({(ACCOUNT, REGION, type_name, physical_id)})) == []
    elsewhere = frozenset({(ACCOUNT, "eu-west-1", type_name, physical_id)})
    assert told(found, held=elsewhere) == [type_name]


def test_nothing_is_told_where_a_stack_did_not_say_what_it_holds() -> None:
    bucket = live("AWS::S3::Bucket", "mine")
    assert told(bucket, stackless=frozenset({(ACCOUNT, REGION)})) == []
    assert told(bucket, stackless=frozenset({(ACCOUNT, "eu-west-1")})) == ["AWS::S3::Bucket"]
