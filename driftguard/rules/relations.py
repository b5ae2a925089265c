"""What a policy may know beside the properties: the other resources, the account, tags and time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from driftguard.model import Json, Resource, Source, Unknown
from driftguard.rules.values import HOLES, Maybe, Reference, Unseen, plain, reason, some
from driftguard.schema import registry

ACCOUNT = "AWS::::Account"
_UNREAD = "the other resources were not read"


Complete = Callable[[str, Resource], bool]
"""(type, resource): whether all resources of the type were read that could be related to the resource."""


class Neighbours:
    """The resources of one snapshot or one template, found by type.

    ``complete`` says which types were read as a whole; None means all of them.  What was not read is not
    known, and never taken for absent: the list of a type that is not complete ends with a `Maybe`.  So is
    a property unknown that the source of a resource does not show.
    """

    def __init__(self, resources: Iterable[Resource] = (), complete: Complete | None = None) -> None:
        self._by_type: dict[str, list[Resource]] = {}
        for resource in resources:
            self._by_type.setdefault(resource.type, []).append(resource)
        self._shown: dict[str, list[tuple[Resource, dict[str, Any]]]] = {}
        self._complete = complete

    def of(self, type_name: str, like: Resource) -> list[tuple[Resource, dict[str, Any]]]:
        """Resources of the type in the account and region of ``like``, with their properties."""
        found = self._shown.get(type_name)
        if found is None:
            members = self._by_type.get(type_name, ())
            found = self._shown[type_name] = [(one, _shown(one)) for one in members]
        place = (like.key.account, like.key.region)
        return [
            pair
            for pair in found
            if (pair[0].key.account, pair[0].key.region) == place or _global(pair[0], like)
        ]

    def missing(self, type_name: str, like: Resource) -> Unseen | None:
        """Why there may be more than `of` answers; None when there is not."""
        if self._complete is None or self._complete(type_name, like):
            return None
        return Unseen(f"not every {type_name} was read")


def _shown(resource: Resource) -> dict[str, Any]:
    """The properties, those that the source does not show as holes."""
    properties: dict[str, Any] = plain(resource.properties)
    schema = registry().get(resource.type) if resource.coverage is not None else None
    if schema is None or resource.coverage is None:
        return properties
    hidden = (name for name in schema.root.names if name not in resource.coverage)
    why = f"is not shown by {resource.source.value}"
    return {**{name: Unseen(f"{resource.type} {name} {why}") for name in hidden}, **properties}


def _global(one: Resource, other: Resource) -> bool:
    return one.key.account == other.key.account and "global" in (one.key.region, other.key.region)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeContext:
    """What is the same for all resources of one judgement.

    ``account_facts`` are the properties of `AWS::::Account` (None: not read).  ``attributes`` holds, by
    logical id, what stands beside Properties in a template.
    """

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    neighbours: Neighbours | None = None
    account_facts: Mapping[str, Json] | None = None
    attributes: Mapping[str, Mapping[str, Json]] | None = None
    environment: str = ""
    organizational_units: tuple[str, ...] = ()


@dataclass(slots=True)
class Judged:
    """One resource in its context: what functions of an expression are handed."""

    resource: Resource
    context: JudgeContext


def related(c: Judged, type_name: str, pointer: str) -> Any:
    """Properties of the resources of ``type_name`` whose value at ``pointer`` names this resource.

    ``pointer`` is a path of property names joined by ``/``; lists on the way are searched.  A resource
    whose value cannot be known is a `Maybe`.
    """
    neighbours = c.context.neighbours
    if neighbours is None:
        return Unseen(_UNREAD)
    names = _names(c.resource)
    out: list[Any] = []
    certain = False
    for _, properties in neighbours.of(type_name, c.resource):
        answer = some(_is_named(value, names) for value in _values(properties, pointer.split("/")))
        if answer is True:
            certain = True
            out.append(properties)
        elif answer is not False:
            out.append(Maybe(properties, answer))
    if certain and _single(type_name, pointer):
        return [one for one in out if one.__class__ is not Maybe]
    return _ended(out, neighbours.missing(type_name, c.resource))


def _ended(found: list[Any], missing: Unseen | None) -> list[Any]:
    return found if missing is None else [*found, Maybe(missing, Unknown(missing.reason))]


@lru_cache(maxsize=1024)
def _single(type_name: str, pointer: str) -> bool:
    """Whether at most one resource of the type can name another one there: it is identified by it."""
    schema = registry().get(type_name)
    return schema is not None and tuple(map(tuple, schema.primary_identifier)) == (tuple(pointer.split("/")),)


def resource_of(c: Judged, type_name: str, value: Any) -> Any:
    """Properties of the resource of ``type_name`` that ``value`` names; null if there is none here."""
    if value is None:
        return None
    if value.__class__ in HOLES and value.__class__ is not Reference:
        return Unseen(reason(value))
    neighbours = c.context.neighbours
    if neighbours is None:
        return Unseen(_UNREAD)
    for resource, properties in neighbours.of(type_name, c.resource):
        if _is_named(value, _names(resource)) is True:
            return properties
    return neighbours.missing(type_name, c.resource)


def resources(c: Judged, type_name: str) -> Any:
    """Properties of all resources of the type beside this one."""
    neighbours = c.context.neighbours
    if neighbours is None:
        return Unseen(_UNREAD)
    found = neighbours.of(type_name, c.resource)
    others: list[Any] = [properties for one, properties in found if one.key != c.resource.key]
    return _ended(others, neighbours.missing(type_name, c.resource))


def _names(resource: Resource) -> frozenset[str]:
    return frozenset(name for name in (resource.key.identifier, resource.name, resource.arn) if name)


def _is_named(value: Any, names: frozenset[str]) -> Any:
    if value.__class__ is Reference:
        return value.target in names
    if value.__class__ in HOLES:
        return Unknown(reason(value))
    return value.__class__ is str and value in names


def _values(value: Any, steps: list[str]) -> Iterable[Any]:
    if value.__class__ is list:
        for item in value:
            yield from _values(item, steps)
    elif not steps:
        yield value
    elif value.__class__ is dict:
        if steps[0] in value:
            yield from _values(value[steps[0]], steps[1:])
    elif value.__class__ in HOLES:
        yield value


def account(c: Judged, fact: str) -> Any:
    """A fact of the account that the resource is in; an `Unseen` when it was not read."""
    if c.resource.type == ACCOUNT:
        facts: Mapping[str, Json] | None = c.resource.properties
    else:
        facts = c.context.account_facts
    if facts is None or fact not in facts:
        return Unseen(f"the account's {fact} was not read")
    return plain(facts[fact])


def attribute(c: Judged, name: str) -> Any:
    """A resource attribute of a template; a live resource has none that can be seen."""
    if c.resource.source is not Source.TEMPLATE or c.context.attributes is None:
        return Unseen(f"{name} stands in a template only")
    return plain(c.context.attributes.get(c.resource.key.identifier, {}).get(name))


def tag(c: Judged, key_name: str) -> Any:
    """The value of a tag of the resource; null when it has none."""
    found = c.resource.tags.get(key_name)
    if found is not None or c.resource.source is not Source.TEMPLATE:
        return found
    given = c.resource.properties.get("Tags")
    return Unseen(reason(given)) if given.__class__ in HOLES else None


def key(c: Judged, part: str) -> Any:
    """A part of the resource's identity."""
    resource = c.resource
    if part == "arn":
        return resource.arn
    if part == "logical_id":
        return resource.key.identifier
    found = getattr(resource.key, part)
    return found or Unknown(f"the {part} is known only once it is deployed")
