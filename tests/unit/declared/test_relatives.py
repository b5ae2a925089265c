"""Siblings, owners and out-of-band children, as cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from driftguard.declared.out_of_band import out_of_band
from driftguard.declared.ownership import service_owner, with_tolerances
from driftguard.declared.siblings import merge_siblings
from driftguard.model import DeclaredResource, Resource, ResourceKey, Source, Unknown
from driftguard.model.resource import Tolerance, key_region

CASES = Path(__file__).parents[2] / "cases" / "declared"


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return (
            Unknown(value["unknown"])
            if set(value) == {"unknown"}
            else {k: _known(v) for k, v in value.items()}
        )
    return [_known(item) for item in value] if isinstance(value, list) else value


def _resource(given: dict[str, Any]) -> DeclaredResource:
    return DeclaredResource(
        type=given["type"],
        logical_id=given["id"],
        properties=_known(given["properties"]),
        account="123456789012",
        region=key_region(given["type"], given.get("region", "eu-west-1")),
        stack_id=given.get("stack", "stack"),
        physical_id=given.get("physical"),
        identifier=given.get("physical"),
        attributes=given.get("attributes", {}),
    )


def _cases(name: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in yaml.safe_load((CASES / name).read_text())]


@pytest.mark.parametrize("case", _cases("siblings.yaml"))
def test_children_are_merged_into_their_parents(case: dict[str, Any]) -> None:
    given = [_resource(item) for item in case["resources"]]
    whole = case["whole"] if "whole" in case else ["eu-west-1", "global"] if case.get("complete") else None
    merged = {item.logical_id: item for item in merge_siblings(given, whole=whole)}
    assert len(merged) == len(given)
    for name, properties in case["expect"].items():
        assert merged[name].properties == _known(properties), name
    for name, shared in case.get("shared", {}).items():
        assert merged[name].shared == {one: tuple(values) for one, values in shared.items()}, name
    for item in given:
        if item.logical_id not in case["expect"]:
            assert merged[item.logical_id] == item


@pytest.mark.parametrize("case", _cases("ownership.yaml"))
def test_owners_are_tolerated_inside_their_range_and_nobody_else(case: dict[str, Any]) -> None:
    found = {
        item.logical_id: item.tolerated
        for item in with_tolerances([_resource(item) for item in case["resources"]])
    }
    wanted = {
        name: tuple(
            Tolerance(**{**item, "allowed": tuple(item["allowed"]) if "allowed" in item else None})
            for item in items
        )
        for name, items in case["expect"].items()
    }
    assert {name: items for name, items in found.items() if items} == wanted


def _live(type_name: str, identifier: str, **properties: Any) -> Resource:
    key = ResourceKey(
        account="123456789012",
        region=key_region(type_name, "eu-west-1"),
        type=type_name,
        identifier=identifier,
    )
    return Resource(key=key, properties=properties, source=Source.CLOUD_CONTROL)


def test_what_lives_on_a_declared_parent_and_is_declared_nowhere_is_its_drift() -> None:
    declared = [
        _resource(item)
        for item in (
            {"id": "B", "type": "AWS::S3::Bucket", "physical": "b", "properties": {}},
            {"id": "C", "type": "AWS::S3::Bucket", "physical": "c", "properties": {}},
            {"id": "CP", "type": "AWS::S3::BucketPolicy", "physical": "c", "properties": {"Bucket": "c"}},
            {"id": "Q", "type": "AWS::SQS::Queue", "physical": "q", "properties": {}},
            {"id": "QP", "type": "AWS::SQS::QueuePolicy", "physical": "x", "properties": {"Queues": ["q"]}},
            {"id": "R", "type": "AWS::EC2::RouteTable", "physical": "rtb", "properties": {}},
        )
    ]
    live = [
        _live("AWS::S3::BucketPolicy", "b", Bucket="b"),
        _live("AWS::S3::BucketPolicy", "c", Bucket="c"),
        _live("AWS::S3::BucketPolicy", "unmanaged", Bucket="unmanaged"),
        _live("AWS::SQS::QueueInlinePolicy", "q", Queue="q"),
        _live("AWS::EC2::Route", "rtb|0.0.0.0/0", RouteTableId="rtb", GatewayId="igw-1"),
        _live("AWS::EC2::Route", "rtb|10.0.0.0/16", RouteTableId="rtb", GatewayId="local"),
    ]
    found = [(item.parent.logical_id, item.child.key.identifier) for item in out_of_band(declared, live)]
    assert found == [("B", "b"), ("R", "rtb|0.0.0.0/0")]


def test_a_declaration_with_an_unknown_parent_may_be_the_one() -> None:
    declared = [
        _resource({"id": "R", "type": "AWS::EC2::RouteTable", "physical": "rtb", "properties": {}}),
        _resource(
            {"id": "Route", "type": "AWS::EC2::Route", "properties": {"RouteTableId": {"unknown": "x"}}}
        ),
    ]
    assert out_of_band(declared, [_live("AWS::EC2::Route", "rtb|0.0.0.0/0", RouteTableId="rtb")]) == ()


@pytest.mark.parametrize(
    ("resource", "owner"),
    [
        (_live("AWS::IAM::Role", "r", Path="/aws-service-role/ecs.amazonaws.com/"), "service-linked role"),
        (_live("AWS::IAM::Role", "r", Path="/"), None),
        (_live("AWS::KMS::Alias", "a", AliasName="alias/aws/s3"), "AWS managed key"),
        (_live("AWS::KMS::Alias", "a", AliasName="alias/mine"), None),
        (_live("AWS::EC2::SecurityGroup", "sg", GroupName="default"), "default security group of its VPC"),
        (_live("AWS::AutoScaling::AutoScalingGroup", "CodeDeploy_x"), "CodeDeploy blue/green"),
    ],
)
def test_what_aws_made_for_itself_needs_no_declaration(resource: Resource, owner: str | None) -> None:
    assert service_owner(resource) == owner
