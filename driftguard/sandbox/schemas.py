"""What the sandbox asks the registry schemas: coercion, order, write-only and create-only properties."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from driftguard.schema import registry
from driftguard.schema.types import Node, TypeSchema


def schema_of(type_name: str) -> TypeSchema | None:
    """The registry schema of a public type, or None."""
    return registry().get(type_name)


def coerce(type_name: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Properties with their scalars in the type that the schema gives them, as CloudFormation does it.

    Text becomes a number or a boolean where the schema allows nothing else, and the other way round.
    """
    schema = schema_of(type_name)
    if schema is None:
        return properties
    coerced = _coerce(schema.root, properties)
    assert isinstance(coerced, dict)
    return coerced


def _coerce(node: Node | None, value: Any) -> Any:
    if node is None:
        return value
    if isinstance(value, dict):
        return {name: _coerce(node.child(name), item) for name, item in value.items()}
    if isinstance(value, list):
        return [_coerce(node.items, item) for item in value]
    kinds = node.types
    if isinstance(value, str) and "string" not in kinds:
        return _from_text(kinds, value)
    if "string" in kinds and len(kinds) == 1 and isinstance(value, bool | int | float):
        return as_text(value)
    return value


def _from_text(kinds: Iterable[str], value: str) -> Any:
    if "boolean" in kinds and value.lower() in ("true", "false"):
        return value.lower() == "true"
    for kind, convert in (("integer", int), ("number", float)):
        if kind in kinds:
            try:
                return convert(value)
            except ValueError:
                continue
    return value


def as_text(value: Any) -> str:
    """A scalar as CloudFormation writes it in text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def without(properties: dict[str, Any], pointers: Iterable[tuple[str, ...]]) -> dict[str, Any]:
    """A copy of ``properties`` in which the places that ``pointers`` name are left out."""
    result: Any = properties
    for pointer in pointers:
        result = _drop(result, pointer)
    assert isinstance(result, dict)
    return result


def _drop(value: Any, pointer: tuple[str, ...]) -> Any:
    name, *rest = pointer
    if isinstance(value, list):
        return [_drop(item, tuple(rest) if name == "*" else pointer) for item in value]
    if not isinstance(value, dict) or name not in value:
        return value
    if not rest:
        return {key: item for key, item in value.items() if key != name}
    below = _drop(value[name], tuple(rest))
    if below in ({}, []) and value[name]:
        # Nothing readable was in it: a function's Code is all write-only.
        return {key: item for key, item in value.items() if key != name}
    return {**value, name: below}


def replaces(type_name: str, property_name: str) -> str:
    """Whether a change of a top-level property recreates the resource: Always, Conditionally, Never."""
    schema = schema_of(type_name)
    if schema is None:
        return "Never"
    if any(pointer[0] == property_name for pointer in schema.create_only):
        return "Always"
    if any(pointer[0] == property_name for pointer in schema.conditional_create_only):
        return "Conditionally"
    return "Never"
