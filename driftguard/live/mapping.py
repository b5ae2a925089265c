"""A configuration item becomes a `Resource`: identity, properties, coverage, tags and hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from driftguard.live.aws_made import made_by_aws
from driftguard.live.canonical import state_hash
from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, empty, fold
from driftguard.live.shapes import shape_of
from driftguard.model import Json, Resource, ResourceKey, Source, key_region
from driftguard.schema import TypeSchema, registry

# AWS Config's name -> CloudFormation's, where they differ.
_RENAMED: Mapping[str, str] = {
    "AWS::ACM::Certificate": "AWS::CertificateManager::Certificate",
    "AWS::IAM::Policy": "AWS::IAM::ManagedPolicy",
    "AWS::OpenSearch::Domain": "AWS::OpenSearchService::Domain",
}
_CONFIG_NAMES = {cloudformation: config for config, cloudformation in _RENAMED.items()}
_ITEM_SOURCES = (Source.CONFIG, Source.CONFIG_FILE)
_OWN_IDS = ("Id", "Arn")


def cloudformation_type(config_type: str) -> str:
    """CloudFormation's name of a type that AWS Config names."""
    renamed = _RENAMED.get(config_type)
    if renamed or registry().get(config_type) is not None:
        return renamed or config_type
    return _spelling().get(config_type.lower(), config_type)


def config_type(cloudformation_type: str) -> str:
    """AWS Config's name of a CloudFormation type."""
    return _CONFIG_NAMES.get(cloudformation_type, cloudformation_type)


def resource_of(item: ConfigurationItem, source: Source = Source.CONFIG) -> Resource:
    """The resource that ``item`` records.

    Items that already are CloudFormation-shaped keep what the schema knows, and cover just what they
    show: that something is absent from an item is no proof that it is unset.  Items of a type without
    shape and schema keep their configuration as it is; items of a type with a schema but without a
    shape prove that the resource exists, and cover nothing.
    """
    type_name = cloudformation_type(item.type)
    schema = registry().get(type_name)
    if schema is None:
        properties, coverage = dict(item.configuration), frozenset(item.configuration)
    else:
        properties, coverage = _properties(item, schema, shape_of(type_name))
    if schema is not None and schema.tag_property:
        coverage = _put_tags(item, schema, properties, coverage)
    return Resource(
        key=ResourceKey(
            partition=item.partition,
            account=item.account,
            region=key_region(type_name, item.region),
            type=type_name,
            identifier=identifier(item, schema, properties),
        ),
        properties=properties,
        source=source,
        coverage=coverage,
        arn=item.arn,
        name=item.name,
        tags=item.tags or {},
        captured_at=item.captured_at,
        created_at=item.created_at,
        state_id=item.state_id,
        state_hash=state_hash(properties, schema),
        made_by_aws=made_by_aws(item, type_name),
        config_id=item.id,
    )


def narrowed(resource: Resource, declared: Mapping[str, Json]) -> Resource:
    """``resource`` covering only what can be judged against ``declared`` from its source.

    A property whose declaration uses something that the Config item cannot show is no longer covered.
    """
    shape = shape_of(resource.type)
    if shape is None or resource.coverage is None or resource.source not in _ITEM_SOURCES:
        return resource
    lost = {path.split("/", 1)[0] for path in shape.blind if _declares(declared, path.split("/"))}
    if not lost & resource.coverage:
        return resource
    return replace(resource, coverage=resource.coverage - lost)


def key_of(item: ConfigurationItem) -> ResourceKey:
    """The key of an item whose state does not matter: a deleted one has no configuration."""
    return resource_of(item).key


def identifier(item: ConfigurationItem, schema: TypeSchema | None, properties: Mapping[str, Json]) -> str:
    """The Cloud Control identifier: from the properties, or from what AWS Config uses to name the type."""
    if schema is None:
        return item.id
    found = schema.identifier_of(properties)
    if found is not None or len(schema.primary_identifier) != 1:
        return found or item.id
    name = schema.primary_identifier[0][-1]
    if name.endswith("Arn") or name.endswith("ARN"):
        return item.arn or item.id
    if name.endswith("Name"):
        return item.name or item.id
    return item.id


def is_native(item: ConfigurationItem, schema: TypeSchema) -> bool:
    """Whether the configuration is CloudFormation-shaped: its keys are the schema's, letter for letter."""
    keys = [key for key in item.configuration if key not in _OWN_IDS]
    known = sum(key in schema.root.names for key in keys)
    return bool(item.configuration) and known * 2 >= len(keys)


def _declares(value: Json, path: list[str]) -> bool:
    if not path:
        return True
    if path[0] == "*":
        return isinstance(value, list | tuple) and any(_declares(part, path[1:]) for part in value)
    return isinstance(value, Mapping) and path[0] in value and _declares(value[path[0]], path[1:])


def _properties(
    item: ConfigurationItem, schema: TypeSchema, shape: Shape | None
) -> tuple[dict[str, Any], frozenset[str]]:
    if item.deleted or not item.configuration:
        return {}, frozenset()
    if shape is not None:
        properties = shape.apply(item, schema)
        return properties, shape.covered(item) | frozenset(properties)
    if not is_native(item, schema):
        return {}, frozenset()
    folded = fold(item.configuration, schema.root)
    properties = {name: value for name, value in folded.items() if not empty(value)}
    # What the item holds empty was looked at too.
    return properties, frozenset(properties) | (frozenset(item.configuration) & frozenset(schema.root.names))


def _put_tags(
    item: ConfigurationItem, schema: TypeSchema, properties: dict[str, Any], coverage: frozenset[str]
) -> frozenset[str]:
    name = schema.tag_property
    assert name is not None
    if item.tags is None or item.deleted:
        if name not in properties:
            return coverage - {name}
        return coverage
    value = tag_value(item.tags, schema)
    if value is None:
        return coverage - {name} if name not in properties else coverage
    properties.pop(name, None)
    if value:
        properties[name] = value
    return coverage | {name}


def tag_value(tags: Mapping[str, str], schema: TypeSchema) -> Json:
    """``tags`` in the form that the type's schema asks for, AWS's own left out; ``None`` if it is unknown.

    A form that holds more than key and value (PropagateAtLaunch of Auto Scaling groups) is unknown here:
    the item's tag map cannot fill it.
    """
    node = schema.root.child(schema.tag_property or "")
    own = {key: value for key, value in sorted(tags.items()) if not key.startswith("aws:")}
    if node is None:
        return None
    if node.items is None:
        return own if node.free_form or node.is_a("object") else None
    fields = frozenset(node.items.names)
    for key, value in (("Key", "Value"), ("TagKey", "TagValue")):
        if fields == {key, value}:
            return [{key: name, value: text} for name, text in own.items()]
    return None


@lru_cache(maxsize=1)
def _spelling() -> Mapping[str, str]:
    """Types by their name in lower case: some items shout (``AWS::EC2::VOLUME``)."""
    return {name.lower(): name for name in registry().types()}
