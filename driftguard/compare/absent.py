"""A declared value that the live state does not show: removed, or never shown?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from driftguard.compare.equalities import Place
from driftguard.compare.equalities.transforms import gives_nothing
from driftguard.compare.forms import has_hole, is_empty, key
from driftguard.compare.tables import defaults, listed
from driftguard.model import GapReason, Json
from driftguard.schema import Node

NOT_RETURNED = "NOT_RETURNED"
"""AWS's read does not answer this property, or not in the state that is declared."""
_OFF = frozenset({"disabled", "none", "off", "disable", "not_configured", "inactive"})


@dataclass(frozen=True, slots=True)
class Absence:
    """``fold`` names the rule by which absent means the same; ``gap`` why nobody can tell; else: removed."""

    fold: str = ""
    gap: str = ""
    detail: str = ""


REMOVED = Absence()


def judge(value: Json, place: Place, parent: Node | None) -> Absence:
    """What it means that ``value``, declared at ``place``, is not there.  ``parent`` is the object's node."""
    path = place.general
    schema = place.schema
    if schema is not None and schema.is_write_only(path):
        return Absence(gap=GapReason.WRITE_ONLY)
    coverage = place.context.coverage
    if coverage is not None and str(place.path[0]) not in coverage:
        return Absence(gap=GapReason.NOT_IN_SOURCE)
    if has_hole(value) and not isinstance(value, Mapping | list | tuple):
        return Absence(gap=GapReason.UNRESOLVED)
    if is_empty(value):
        return Absence(fold="declared-empty")
    same = _means_nothing(value, place)
    if same is not None:
        return same
    never = _never_returned(path, place, parent)
    if never is not None:
        return never
    if isinstance(value, Mapping | list | tuple):
        return _container(value, place)
    if gives_nothing(value, place):
        return Absence(fold="property-transform")
    return REMOVED


def _means_nothing(value: Json, place: Place) -> Absence | None:
    """A value that says what AWS does anyway, and so need not be answered."""
    if value is False or value == "false":
        return Absence(fold="declared-false")
    node = place.node
    if node is not None and node.has_default and key(node.default) == key(value):
        return Absence(fold="schema-default")
    if any(key(known) == key(value) for known in defaults(place.type_name).get("/".join(place.general), ())):
        return Absence(fold="documented-default")
    if value == 0 or (isinstance(value, str) and value.lower() in _OFF):
        return Absence(gap=NOT_RETURNED, detail="the value that switches it off is not answered")
    return None


def _never_returned(path: tuple[str, ...], place: Place, parent: Node | None) -> Absence | None:
    """A value that cannot have been removed, because AWS does not let anybody remove it."""
    schema = place.schema
    if schema is not None and place.in_schema:
        if schema.is_create_only(path) or path in schema.conditional_create_only:
            return Absence(gap=NOT_RETURNED, detail="the property cannot change after creation")
        if path in schema.primary_identifier:
            return Absence(gap=NOT_RETURNED, detail="the property identifies the resource")
        if parent is not None and path[-1] in parent.required:
            return Absence(gap=NOT_RETURNED, detail="a resource cannot be without this property")
        if path in schema.deprecated:
            return Absence(gap=NOT_RETURNED, detail="the property is deprecated")
    if listed("not-returned", place.type_name, path):
        return Absence(gap=NOT_RETURNED, detail="AWS's read does not answer this property")
    return None


def _container(value: Json, place: Place) -> Absence:
    """An object or list is missing: it was removed, unless nothing in it could have been shown."""
    children = value.items() if isinstance(value, Mapping) else enumerate(value)
    verdicts = []
    for name, child in children:
        below = Place(
            path=(*place.path, name),
            node=_child(place.node, name),
            schema=place.schema,
            type_name=place.type_name,
            context=place.context,
            declared=value,
            root=place.root,
            live_root=place.live_root,
        )
        # What is required inside an object that is gone has gone with it: no parent is given.
        verdicts.append(judge(child, below, None))
    if REMOVED in verdicts:
        return REMOVED
    gaps = [verdict for verdict in verdicts if verdict.gap]
    return gaps[0] if gaps else verdicts[0]


def _child(node: Node | None, name: str | int) -> Node | None:
    if node is None:
        return None
    return node.items if isinstance(name, int) else node.child(name)
