"""Live models from Cloud Control: already CloudFormation-shaped, and as fresh as the service itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import yaml

from driftguard.aws import Place
from driftguard.live.canonical import state_hash
from driftguard.live.config_items import plain, tag_map
from driftguard.model import Resource, ResourceKey, Source, key_region
from driftguard.schema import TypeSchema, registry_of

_PARENTS = Path(__file__).parent / "data" / "list_parents.yaml"


class Listing(Protocol):
    """What `children` needs of a Cloud Control gateway."""

    def list(
        self, type_name: str, parents: Mapping[str, Any] | None = None
    ) -> Iterator[tuple[str, dict[str, Any]]]: ...


def read(place: Place, type_name: str, identifier: str) -> Resource:
    """The resource as the service has it now.

    Raises `GoneError` when AWS says that it does not exist, `AccessDeniedError` with the service's own
    action when the read was denied, and the other `AwsError` kinds.
    """
    return resource_of(place, type_name, identifier, place.cloud_control.get(type_name, identifier))


def resource_of(place: Place, type_name: str, identifier: str, model: Mapping[str, Any]) -> Resource:
    """A Cloud Control model as a `Resource`; its coverage is everything that is readable."""
    schema = registry_of(place.account, place.region).get(type_name)
    properties: dict[str, Any] = plain(model)
    return Resource(
        key=ResourceKey(
            partition=place.partition,
            account=place.account,
            region=key_region(type_name, place.region),
            type=type_name,
            identifier=identifier,
        ),
        properties=properties,
        source=Source.CLOUD_CONTROL,
        arn=_arn(properties),
        name=_name(properties, type_name),
        tags=_tags(properties, schema),
        state_hash=state_hash(properties, schema),
    )


def readable(place: Place, type_name: str) -> bool:
    """Whether the registry of the place has a read handler for the type."""
    schema = registry_of(place.account, place.region).get(type_name)
    return schema is not None and schema.readable


def well_formed(place: Place, type_name: str, identifier: str) -> bool:
    """Whether the identifier has as many parts as the type's: asked for half of one, AWS finds nothing."""
    schema = registry_of(place.account, place.region).get(type_name)
    parts = len(schema.primary_identifier) if schema is not None else 1
    return parts <= 1 or identifier.count("|") + 1 >= parts


def parents_of(type_name: str) -> tuple[str, Mapping[str, str]] | None:
    """For a type that can only be listed below another: that type, and our property -> its property."""
    row = _parents().get(type_name)
    return None if row is None else (row["parent"], row["properties"])


def children(
    listing: Listing, type_name: str, parents: Iterator[Resource] | tuple[Resource, ...] = ()
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Identifier and model of every resource of a type, asked below each of ``parents`` if it needs one."""
    needed = parents_of(type_name)
    if needed is None:
        yield from listing.list(type_name)
        return
    parent_type, names = needed
    for parent in parents:
        if parent.type == parent_type:
            yield from listing.list(
                type_name, {ours: parent.properties.get(theirs) for ours, theirs in names.items()}
            )


@lru_cache(maxsize=1)
def _parents() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.safe_load(_PARENTS.read_text(encoding="utf-8"))
    return loaded


def _arn(properties: Mapping[str, Any]) -> str | None:
    for name, value in properties.items():
        if name.lower() == "arn" and isinstance(value, str):
            return value
    found = [
        value
        for name, value in properties.items()
        if name.endswith(("Arn", "ARN")) and isinstance(value, str) and value.startswith("arn:")
    ]
    # Several ARNs name other resources; which one is its own cannot be told from the model.
    return found[0] if len(found) == 1 else None


def _name(properties: Mapping[str, Any], type_name: str) -> str | None:
    for name in (f"{type_name.rsplit('::', 1)[-1]}Name", "Name"):
        if isinstance(properties.get(name), str):
            return str(properties[name])
    return None


def _tags(properties: Mapping[str, Any], schema: TypeSchema | None) -> Mapping[str, str]:
    name = schema.tag_property if schema is not None else "Tags"
    return tag_map(properties.get(name)) or {} if name else {}
