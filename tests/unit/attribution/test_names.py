"""An event must name the whole of a resource: many share a name, and differ in what they belong to."""

from __future__ import annotations

from typing import Any

import pytest

from driftguard.model import Drift
from tests.told import ACCOUNT, by_hand, call, changed, gone, who

SERVICE = f"arn:aws:ecs:us-east-1:{ACCOUNT}:service/one/web"
COUNT = changed("AWS::ECS::Service", f"{SERVICE}|one", "/DesiredCount", 2, 5, SERVICE)
STAGE = changed("AWS::ApiGateway::Stage", "abc|prod", "/TracingEnabled", True, False, "prod")
RECORD = changed("AWS::Route53::RecordSet", "Z1|www.example.com.|A", "/TTL", "300", "60", "www.example.com")
ROUTE = changed("AWS::EC2::Route", "rtb-1|0.0.0.0/0", "/NatGatewayId", "nat-1", "nat-2")
TARGET = changed(
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "service/one/web|ecs:service:DesiredCount|ecs",
    "/MaxCapacity",
    4,
    8,
)
RULE = f"arn:aws:events:us-east-1:{ACCOUNT}:rule"
DISABLED = changed("AWS::Events::Rule", f"{RULE}/nightly", "/State", "ENABLED", "DISABLED")
ON_BUS = changed("AWS::Events::Rule", f"{RULE}/shop/nightly", "/State", "ENABLED", "DISABLED", "shop|nightly")


def scaled(**names: str) -> dict[str, Any]:
    return call("ecs:UpdateService", {**names, "desiredCount": 5})


def scalable(resource: str) -> dict[str, Any]:
    request = {
        "serviceNamespace": "ecs",
        "scalableDimension": "ecs:service:DesiredCount",
        "resourceId": resource,
        "maxCapacity": 8,
    }
    return call("autoscaling:RegisterScalableTarget", request)


def records(zone: str, *sets: tuple[str, str, str, int]) -> dict[str, Any]:
    changes = [
        {"action": action, "resourceRecordSet": {"name": name, "type": kind, "tTL": ttl}}
        for action, name, kind, ttl in sets
    ]
    request = {"hostedZoneId": zone, "changeBatch": {"changes": changes}}
    return call("route53:ChangeResourceRecordSets", request)


def stage(api: str) -> dict[str, Any]:
    patch = [{"op": "replace", "path": "/tracingEnabled", "value": "false"}]
    return call("apigateway:UpdateStage", {"restApiId": api, "stageName": "prod", "patchOperations": patch})


def routed(action: str, table: str) -> dict[str, Any]:
    request = {"routeTableId": table, "destinationCidrBlock": "0.0.0.0/0", "natGatewayId": "nat-2"}
    return call(f"ec2:{action}", request)


@pytest.mark.parametrize(
    ("drift", "other"),
    [
        (RECORD, records("Z9", ("UPSERT", "other.example.org.", "A", 60))),
        (RECORD, records("Z9", ("UPSERT", "www.example.com.", "A", 60))),
        (RECORD, records("Z1", ("UPSERT", "www.example.com.", "AAAA", 60), ("UPSERT", "api.example.com.", "A", 60))),
        (STAGE, stage("zzz")),
        (COUNT, scaled(cluster="two", service="web")),
        (COUNT, scaled(service="web")),
        (COUNT, scaled(cluster=f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/two", service="web")),
        (COUNT, scaled(cluster="one", service=f"arn:aws:ecs:eu-west-1:{ACCOUNT}:service/one/web")),
        (TARGET, scalable("service/two/other")),
        (ROUTE, routed("ReplaceRoute", "rtb-2")),
        (
            ROUTE,
            call(
                "ec2:AuthorizeSecurityGroupIngress",
                {"groupId": "sg-9", "ipPermissions": {"items": [{"ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}},
            ),
        ),
        (gone("AWS::EC2::Route", "rtb-1|0.0.0.0/0"), routed("DeleteRoute", "rtb-2")),
        (by_hand("AWS::EC2::Route", "rtb-1|0.0.0.0/0"), routed("CreateRoute", "rtb-2")),
        (DISABLED, call("events:DisableRule", {"name": "nightly", "eventBusName": "shop"})),
        (ON_BUS, call("events:DisableRule", {"name": "nightly"})),
    ],
)  # fmt: skip
def test_what_shares_a_piece_of_the_name_is_another_resource(drift: Drift, other: dict[str, Any]) -> None:
    assert who(drift, other) is None


@pytest.mark.parametrize(
    ("drift", "own"),
    [
        (RECORD, records("Z1", ("UPSERT", "api.example.com.", "A", 300), ("UPSERT", "www.example.com", "A", 60))),
        (RECORD, records("/hostedzone/Z1", ("UPSERT", "www.example.com.", "A", 60))),
        (STAGE, stage("abc")),
        (COUNT, scaled(cluster="one", service="web")),
        (COUNT, scaled(cluster=f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/one", service="web")),
        (COUNT, scaled(service=SERVICE)),
        (TARGET, scalable("service/one/web")),
        (ROUTE, routed("ReplaceRoute", "rtb-1")),
        (gone("AWS::EC2::Route", "rtb-1|0.0.0.0/0"), routed("DeleteRoute", "rtb-1")),
        (by_hand("AWS::EC2::Route", "rtb-1|0.0.0.0/0"), routed("CreateRoute", "rtb-1")),
        (gone("AWS::Route53::RecordSet", "Z1|www.example.com.|A"), records("Z1", ("DELETE", "www.example.com.", "A", 60))),
        (by_hand("AWS::Route53::RecordSet", "Z1|www.example.com.|A"), records("Z1", ("CREATE", "www.example.com.", "A", 60))),
        (DISABLED, call("events:DisableRule", {"name": "nightly"})),
        (ON_BUS, call("events:DisableRule", {"name": "nightly", "eventBusName": "shop"})),
    ],
)  # fmt: skip
def test_what_names_every_piece_is_believed(drift: Drift, own: dict[str, Any]) -> None:
    found = who(drift, own)
    assert found is not None and found.startswith("bob ")


def test_a_service_of_the_name_of_its_cluster_must_be_named_with_it() -> None:
    arn = f"arn:aws:ecs:us-east-1:{ACCOUNT}:service/shop/shop"
    drift = changed("AWS::ECS::Service", f"{arn}|shop", "/DesiredCount", 2, 5, arn)
    assert who(drift, scaled(cluster="other", service="shop")) is None
    assert who(drift, scaled(cluster="shop", service="other")) is None
    assert who(drift, scaled(cluster="shop", service="shop")) == "bob UpdateService HIGH"


def test_the_arn_of_another_kind_is_another_resource() -> None:
    cluster = changed("AWS::ECS::Cluster", "web", "/Tags", None, "x")
    tagged = call("ecs:TagResource", {"resourceArn": SERVICE, "tags": [{"key": "a", "value": "x"}]})
    assert who(cluster, tagged) is None
    own = {
        "resourceArn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/web",
        "tags": [{"key": "a", "value": "x"}],
    }
    assert who(cluster, call("ecs:TagResource", own)) == "bob TagResource HIGH"


def test_what_a_call_lets_in_is_not_what_it_changes() -> None:
    """A rule of sg-1 that lets sg-2 in changes sg-1."""
    pair = {"items": [{"groups": {"items": [{"groupId": "sg-2"}]}}]}
    opened = call("ec2:AuthorizeSecurityGroupIngress", {"groupId": "sg-1", "ipPermissions": pair})
    for group, found in (("sg-1", "bob AuthorizeSecurityGroupIngress HIGH"), ("sg-2", None)):
        drift = changed("AWS::EC2::SecurityGroup", group, "/SecurityGroupIngress/0", None, {"FromPort": 22})
        assert who(drift, opened) == found


def test_a_copy_does_not_change_what_it_is_made_from() -> None:
    request = {"dBInstanceIdentifier": "copy", "sourceDBInstanceIdentifier": "db", "multiAZ": False}
    answer = {"dBInstanceIdentifier": "copy", "readReplicaSourceDBInstanceIdentifier": "db"}
    copied = call("rds:CreateDBInstanceReadReplica", request, responseElements=answer)
    assert who(changed("AWS::RDS::DBInstance", "db", "/MultiAZ", True, False), copied) is None


def test_of_a_call_for_many_only_its_own_element_counts() -> None:
    batch = records("Z1", ("UPSERT", "www.example.com.", "A", 300), ("UPSERT", "api.example.com.", "A", 60))
    slower = records("Z1", ("UPSERT", "www.example.com.", "A", 60)) | {"EventId": "b"}
    assert who(RECORD, slower) == "bob ChangeResourceRecordSets HIGH"
    later = batch | {"EventTime": batch["EventTime"].replace(hour=5)}
    assert who(RECORD, slower, later) is None, "it was put right since, whatever was done to its neighbour"


def test_what_a_call_for_many_refused_did_not_happen() -> None:
    request = {"DeleteVpcEndpointsRequest": {"VpcEndpointId": [{"content": "vpce-1"}, {"content": "vpce-2"}]}}
    answer = {
        "DeleteVpcEndpointsResponse": {
            "unsuccessful": {"item": {"resourceId": "vpce-1", "error": {"code": "x"}}}
        }
    }
    deleted = call("ec2:DeleteVpcEndpoints", request, responseElements=answer)
    assert who(gone("AWS::EC2::VPCEndpoint", "vpce-1"), deleted) is None
    assert who(gone("AWS::EC2::VPCEndpoint", "vpce-2"), deleted) == "bob DeleteVpcEndpoints HIGH"


def test_a_secret_is_known_by_its_name_without_the_suffix() -> None:
    arn = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:shop/db-AbC123"
    drift = changed("AWS::SecretsManager::Secret", arn, "/Description", "the database", "test")
    assert who(
        drift, call("secretsmanager:UpdateSecret", {"secretId": "shop/db", "description": "test"})
    ) == ("bob UpdateSecret HIGH")
    assert (
        who(drift, call("secretsmanager:UpdateSecret", {"secretId": "shop", "description": "test"})) is None
    )
