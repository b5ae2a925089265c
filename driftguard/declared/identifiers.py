"""From CloudFormation's physical id to the identifier that Cloud Control and `ResourceKey` use.

The registry schema says which properties make up the identifier.  What is declared is taken from the
declaration, and the one part that only AWS knows is the physical id.  Types that break this rule stand in
``data/identifiers.json``.
https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/resource-identifier.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

import orjson

from driftguard.model import Json
from driftguard.schema.types import TypeSchema

_EXCEPTIONS = Path(__file__).parent / "data" / "identifiers.json"
_FIELD = re.compile(r"\{([^{}]+)\}")


def cloud_control_identifier(
    schema: TypeSchema | None,
    physical_id: str,
    properties: Mapping[str, Json],
    *,
    account: str,
    region: str,
    partition: str = "aws",
) -> str | None:
    """The Cloud Control identifier, or ``None`` when it cannot be told without a guess.

    ``properties`` are the resolved ones.  A custom or private type has no schema and no identifier.
    """
    if schema is None or not physical_id:
        return None
    pattern = exceptions().get(schema.name)
    if pattern is not None:
        place = {"account": account, "region": region, "partition": partition}
        return _from_pattern(pattern, physical_id, properties, place)
    names = schema.primary_identifier
    if len(names) == 1:
        return _single(names[0][-1], physical_id)
    return _composite(schema, physical_id, properties)


def _single(name: str, physical_id: str) -> str | None:
    """The physical id, unless the identifier is an ARN and the physical id a mere name."""
    wants_arn = name.lower().endswith("arn")
    return None if wants_arn and not physical_id.startswith("arn:") else physical_id


def _composite(schema: TypeSchema, physical_id: str, properties: Mapping[str, Json]) -> str | None:
    declared = [_declared(properties, pointer) for pointer in schema.primary_identifier]
    parts = physical_id.split("|")
    if len(parts) == len(declared):
        return "|".join(_ordered(parts, declared))
    missing = [index for index, value in enumerate(declared) if value is None]
    if len(missing) > 1:
        return None
    if missing:
        declared[missing[0]] = physical_id
    return "|".join(str(value) for value in declared)


def _ordered(parts: list[str], declared: list[str | None]) -> list[str]:
    """The parts of a composite physical id in the schema's order, told by what is declared."""
    for order in (parts, parts[::-1]):
        if all(value is None or value == part for value, part in zip(declared, order, strict=True)):
            return order
    return parts


def _declared(properties: Mapping[str, Json], pointer: tuple[str, ...]) -> str | None:
    value: Json = properties
    for name in pointer:
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value)


def _from_pattern(
    pattern: str, physical_id: str, properties: Mapping[str, Json], place: Mapping[str, str]
) -> str | None:
    special: dict[str, Callable[[], str | None]] = {
        "physical": lambda: physical_id,
        "slashed": lambda: physical_id.rsplit("rule/", 1)[-1].replace("|", "/"),
        "dimension": lambda: _dimension(properties),
        "attachment": lambda: "VGW" if "VpnGatewayId" in properties else "IGW",
    }
    parts: list[str] = []
    end = 0
    for match in _FIELD.finditer(pattern):
        parts.append(pattern[end : match.start()])
        end = match.end()
        name = match[1]
        value = special[name]() if name in special else place.get(name) or _property(name, properties)
        if value is None:
            return None
        parts.append(value)
    return "".join([*parts, pattern[end:]])


def _dimension(properties: Mapping[str, Json]) -> str | None:
    """A scaling policy's dimension: its own, or the second part of its target's id.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-applicationautoscaling-scalabletarget.html
    """
    own = _declared(properties, ("ScalableDimension",))
    target = _declared(properties, ("ScalingTargetId",))
    parts = target.split("|") if target else []
    return own or (parts[1] if len(parts) == 3 else None)


def _property(field: str, properties: Mapping[str, Json]) -> str | None:
    """``Name``, or ``Name:name=default``: the name at the end of an ARN, with a default if undeclared."""
    name, _, form = field.partition(":")
    if name not in properties:
        return form.partition("=")[2] or None
    value = _declared(properties, (name,))
    if value is None or not form:
        return value
    return value.rsplit("/", 1)[-1] if value.startswith("arn:") else value


@lru_cache(maxsize=1)
def exceptions() -> Mapping[str, str]:
    """Type -> pattern of its identifier, for those that break the rule."""
    table: dict[str, str] = orjson.loads(_EXCEPTIONS.read_bytes())
    return table
