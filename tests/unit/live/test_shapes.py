"""Shapes against the registry schema, against cases, and against every recorded item."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from driftguard.errors import InputError
from driftguard.live import ConfigurationItem, narrowed, parse_item, read_file, resource_of
from driftguard.live.folding import Shape
from driftguard.live.mapping import cloudformation_type
from driftguard.live.shapes import all_shapes, module_name, shape_of
from driftguard.schema import registry
from tests.shared_data import shared

CASES = sorted((Path(__file__).parents[2] / "cases" / "live" / "shapes").glob("*.yaml"))
SHAPES = all_shapes()


def leaves(value: Any, pointer: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from leaves(part, f"{pointer}/{index}")
    else:
        yield pointer


def cases() -> Iterator[Any]:
    for path in CASES:
        for case in yaml.safe_load(path.read_text(encoding="utf-8")):
            yield pytest.param(case, id=f"{path.stem}: {case['name']}")


def test_there_are_enough_shapes() -> None:
    assert len(SHAPES) >= 40


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.type)
def test_a_shape_names_only_what_the_schema_knows(shape: Shape) -> None:
    schema = registry().get(shape.type)
    assert schema is not None
    identifiers = {path[0] for path in schema.primary_identifier}
    assert shape.coverage <= set(schema.root.names)
    assert set(shape.rename) <= shape.coverage | identifiers
    for path in shape.blind:
        assert schema.known("/" + path), path
        assert path.split("/")[0] in shape.coverage, path
    assert shape_of(shape.type) is shape, "the file is named after the type"
    assert module_name(shape.type).isidentifier()
    if shape.config_type:
        assert cloudformation_type(shape.config_type) == shape.type


@pytest.mark.parametrize("case", list(cases()))
def test_a_case(case: dict[str, Any]) -> None:
    base = {"resourceId": "id-1", "awsRegion": "eu-west-1", "accountId": "111111111111"}
    resource = resource_of(parse_item({**base, **case["item"]}))
    for name, expected in case["properties"].items():
        assert resource.properties.get(name) == expected, name
    for name in case.get("covered", ()):
        assert name in resource.coverage
    for name in case.get("absent", ()):
        assert name not in resource.properties
    for name in case.get("not_covered", ()):
        assert name not in resource.coverage
    if "identifier" in case:
        assert resource.key.identifier == case["identifier"]
    if "region" in case:
        assert resource.key.region == case["region"]
    if "tags" in case:
        assert resource.tags == case["tags"]


def _recorded() -> list[ConfigurationItem]:
    found = []
    for path in sorted(shared("data", "config-items").rglob("*.json")):
        if "resource-types" in path.parts or path.name == "AWS.properties.json":
            continue
        try:
            found += [one for one in read_file(path) if isinstance(one, ConfigurationItem)]
        except InputError as error:
            assert error.where is not None
    return found


def test_every_recorded_item_maps_to_known_properties_and_covers_what_it_shows() -> None:
    items = _recorded()
    assert len(items) >= 50
    for item in items:
        resource = resource_of(item)
        schema = registry().get(resource.type)
        assert resource.coverage is not None
        assert set(resource.properties) <= resource.coverage
        assert resource.key.identifier
        if schema is not None:
            unknown = [pointer for pointer in leaves(resource.properties) if not schema.known(pointer)]
            assert not unknown, (item.type, item.id, unknown)


def test_every_recorded_item_of_a_shaped_type_shows_something() -> None:
    empty = [
        (item.type, item.id)
        for item in _recorded()
        if shape_of(cloudformation_type(item.type))
        and item.configuration
        and not resource_of(item).properties
    ]
    assert not empty


def test_mapping_twice_gives_the_same_hash_and_key_order_does_not_matter() -> None:
    for item in _recorded()[:30]:
        turned = parse_item(json.loads(json.dumps(_raw(item)), object_pairs_hook=lambda p: dict(reversed(p))))
        assert resource_of(turned).state_hash == resource_of(item).state_hash


def _raw(item: ConfigurationItem) -> dict[str, Any]:
    return {
        "resourceType": item.type,
        "resourceId": item.id,
        "resourceName": item.name,
        "arn": item.arn,
        "accountId": item.account,
        "awsRegion": item.region,
        "configuration": dict(item.configuration),
        "supplementaryConfiguration": dict(item.supplementary),
        **({"tags": dict(item.tags)} if item.tags is not None else {}),
    }


# -- coverage


def bucket(**supplementary: Any) -> ConfigurationItem:
    return parse_item(
        {
            "resourceType": "AWS::S3::Bucket",
            "resourceId": "b",
            "awsRegion": "eu-west-1",
            "accountId": "111111111111",
            "configuration": {"name": "b"},
            "supplementaryConfiguration": supplementary,
        }
    )


def test_what_the_item_cannot_show_is_not_covered() -> None:
    resource = resource_of(bucket())
    assert resource.coverage is not None
    assert "VersioningConfiguration" in resource.coverage
    assert "ReplicationConfiguration" not in resource.coverage
    assert "Tags" not in resource.coverage, "the item had no place for tags"


def test_a_declaration_with_something_the_item_cannot_show_narrows_the_coverage() -> None:
    resource = resource_of(bucket())
    plain = {"LoggingConfiguration": {"DestinationBucketName": "logs"}}
    newer = {"LoggingConfiguration": {"DestinationBucketName": "logs", "TargetObjectKeyFormat": {}}}
    assert narrowed(resource, plain).coverage == resource.coverage
    assert "LoggingConfiguration" not in (narrowed(resource, newer).coverage or ())
    inside = {
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{"BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}}]
        }
    }
    assert "BucketEncryption" not in (narrowed(resource, inside).coverage or ())


def test_absence_from_a_native_item_is_no_proof() -> None:
    item = parse_item(
        {
            "resourceType": "AWS::ECS::Cluster",
            "resourceId": "c",
            "awsRegion": "eu-west-1",
            "accountId": "111111111111",
            "configuration": {"ClusterName": "c", "CapacityProviders": []},
        }
    )
    resource = resource_of(item)
    assert resource.properties == {"ClusterName": "c"}
    assert resource.coverage == {"ClusterName", "CapacityProviders"}


def test_an_item_of_a_type_without_shape_proves_existence_and_nothing_else() -> None:
    item = parse_item(
        {
            "resourceType": "AWS::ServiceCatalog::CloudFormationProduct",
            "resourceId": "prod-1",
            "awsRegion": "eu-west-1",
            "accountId": "111111111111",
            "configuration": {"hasDefaultPath": True, "shortDescription": "x", "status": "AVAILABLE"},
        }
    )
    resource = resource_of(item)
    assert resource.properties == {}
    assert resource.coverage == frozenset()
