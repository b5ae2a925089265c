"""From a service's own spelling to the registry schema's: the generic part of every shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from driftguard.live.config_items import ConfigurationItem, decoded
from driftguard.model import Json
from driftguard.schema import Node, TypeSchema

Finish = Callable[[ConfigurationItem, dict[str, Json]], None]
_SCALARS = frozenset({"string", "integer", "number", "boolean"})
_STEP = re.compile(r"([^\[\]]+)(\[(\d*)\])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How the Config item of one type becomes CloudFormation properties.

    ``coverage`` names the top-level properties that the item can show, tags aside; nothing else is taken
    from it.  Each is looked up in the configuration by name, whatever the case, or at its path in
    ``rename``; ``finish`` then sets what has to be built.  A path is ``endpoint.port``, ``groups[].id``
    (all) or ``names[0]``; it starts in the supplementary configuration after ``+`` and in the item itself
    (``@id``, ``@name``, ``@arn``, ``@region``, ``@account``) after ``@``.
    """

    type: str
    coverage: frozenset[str]
    config_type: str = ""
    rename: Mapping[str, str] = field(default_factory=dict)
    blind: frozenset[str] = frozenset()
    finish: Finish | None = None

    def apply(self, item: ConfigurationItem, schema: TypeSchema) -> dict[str, Json]:
        """The properties of ``item``, in the schema's spelling, without what the schema does not know."""
        wanted = self.coverage | {part[0] for part in schema.primary_identifier}
        lowered = {key.lower(): value for key, value in item.configuration.items()}
        properties: dict[str, Json] = {}
        for name in sorted(wanted):
            if name in self.rename:
                value = pick(item, self.rename[name])
            else:
                value = lowered.get(name.lower())
            if value is not None:
                properties[name] = fold(value, schema.root.child(name))
        if self.finish is not None:
            self.finish(item, properties)
        cleaned = fold(properties, schema.root)
        return {name: value for name, value in cleaned.items() if not empty(value)}

    def covered(self, item: ConfigurationItem) -> frozenset[str]:
        """What of `coverage` this very item can show: a supplementary part that is missing shows nothing."""
        missing = {
            name
            for name, path in self.rename.items()
            if path.startswith("+") and get(item.supplementary, path[1:].split(".")[0]) is None
        }
        return self.coverage - missing


def names(text: str) -> frozenset[str]:
    """Property names from text, separated by white space."""
    return frozenset(text.split())


def empty(value: Json) -> bool:
    """Whether ``value`` says nothing: AWS Config pads items with empty lists and maps."""
    return value is None or value in ({}, [])


def fold(value: Json, node: Node | None) -> Json:
    """``value`` with keys in the schema's spelling and scalars of the schema's type.

    Keys that the schema does not know are dropped, and so are nulls, empty lists and empty maps inside.
    What the schema leaves open (policy documents, maps with the user's keys) stays as it is.
    """
    if node is None:
        return value
    if isinstance(value, Mapping):
        if node.types == {"array"}:
            # Some items write a list of one as its only member.
            return [fold(value, node.items)]
        if node.types and node.types <= _SCALARS:
            # Or a scalar as the only member of a map; a map of more says nothing that the schema has a place for.
            inner = list(value.values())
            return fold(inner[0], node) if len(inner) == 1 else None
        if not node.names and node.values is None:
            return value
        spelling = {name.lower(): name for name in node.names}
        folded = {}
        for key, part in value.items():
            name = spelling.get(str(key).lower())
            if name is None:
                if not node.free_form:
                    continue
                name = str(key)
            below = fold(part, node.child(name))
            if not empty(below):
                folded[name] = below
        return folded
    if isinstance(value, list | tuple):
        return [below for part in value if (below := fold(part, node.items)) is not None]
    if isinstance(value, str) and value[:1] == "{" and node.is_a("object"):
        return fold(decoded(value), node) if isinstance(decoded(value), Mapping) else value
    return _scalar(value, node.types)


def pick(item: ConfigurationItem, path: str) -> Json:
    """The value at ``path`` (see `Shape`), keys in any case; ``None`` when there is none."""
    if path.startswith("@"):
        return getattr(item, path[1:])
    source = item.supplementary if path.startswith("+") else item.configuration
    found: list[Any] = [source]
    many = False
    for step in path.lstrip("+").split("."):
        match = _STEP.fullmatch(step)
        assert match is not None, path
        many = many or match.group(2) == "[]"
        found = list(_step(found, match.group(1), match.group(3) if match.group(2) else None))
    if many:
        return found or None
    return found[0] if found else None


def get(value: Json, *path: str) -> Json:
    """The value below nested maps, keys in any case; ``None`` when a step is missing."""
    for name in path:
        if not isinstance(value, Mapping):
            return None
        if name in value:
            value = value[name]
            continue
        lowered = name.lower()
        value = next((part for key, part in value.items() if key.lower() == lowered), None)
    return value


def rows(value: Json) -> list[Mapping[str, Json]]:
    """The maps in a list; an empty list for anything else."""
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list | tuple) else []


def upper(value: Json) -> Json:
    """``value`` with the first letter of every key upper case, for maps that the schema leaves open."""
    if isinstance(value, Mapping):
        return {key[:1].upper() + key[1:]: upper(part) for key, part in value.items()}
    if isinstance(value, list):
        return [upper(part) for part in value]
    return value


def _step(values: Iterable[Any], name: str, index: str | None) -> Iterable[Any]:
    for value in values:
        found = get(value, name)
        if found is None:
            continue
        if index is None:
            yield found
        elif isinstance(found, list):
            yield from found if index == "" else found[int(index) : int(index) + 1]


def _scalar(value: Json, types: frozenset[str]) -> Json:
    if types == {"string"} and isinstance(value, bool):
        return "true" if value else "false"
    if types == {"string"} and isinstance(value, int | float):
        return str(value)
    if types == {"boolean"} and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if types and types <= {"integer", "number"} and isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return value
        return int(number) if number.is_integer() else number
    return value
