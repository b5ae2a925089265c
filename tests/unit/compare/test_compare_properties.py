"""What must hold for any resource, not only for those we thought of."""

from __future__ import annotations

import copy
import random
from typing import Any

import jsonata  # noqa: F401 - sets the recursion limit, which hypothesis wants to stay as it was
from hypothesis import given, settings
from hypothesis import strategies as st

from driftguard.compare import apply_patch, compare, to_patch
from driftguard.compare.forms import general
from driftguard.compare.tables import listed
from driftguard.model import DriftStatus
from driftguard.schema import Node, TypeSchema, registry

WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=8)
TYPES = tuple(
    name
    for name in registry().types()
    if any(
        not (one.is_read_only((prop,)) or one.is_write_only((prop,)))
        for one in [registry().get(name)]
        if one is not None
        for prop in one.root.names
    )
)
"""All resource types of which something can be both declared and read."""


def schema(name: str) -> TypeSchema:
    found = registry().get(name)
    assert found is not None
    return found


def values(node: Node | None, depth: int) -> st.SearchStrategy[Any]:
    """Values that the schema allows at ``node``, never empty."""
    if node is None or (node.is_enum and not node.enum):
        return WORDS
    if node.enum:
        return st.sampled_from(node.enum)
    if node.is_a("boolean"):
        return st.just(True)
    if node.is_a("integer") or node.is_a("number"):
        return st.integers(min_value=1, max_value=60000)
    if node.is_a("array"):
        return st.lists(values(node.items, depth - 1), min_size=1, max_size=4, unique_by=repr)
    if node.is_a("object") and node.names:
        if depth <= 0:
            return WORDS
        return st.sets(st.sampled_from(node.names), min_size=1, max_size=3).flatmap(
            lambda names: st.fixed_dictionaries(
                {name: values(node.child(name), depth - 1) for name in sorted(names)}
            )
        )
    if node.is_a("object"):
        return st.dictionaries(WORDS, WORDS, min_size=1, max_size=3)
    return WORDS


@st.composite
def resources(draw: st.DrawFn) -> tuple[TypeSchema, dict[str, Any]]:
    one = schema(draw(st.sampled_from(TYPES)))
    writable = [n for n in one.root.names if not (one.is_read_only((n,)) or one.is_write_only((n,)))]
    names = draw(st.lists(st.sampled_from(writable), min_size=1, max_size=4, unique=True))
    return one, {name: draw(values(one.root.child(name), 4)) for name in names}


@settings(max_examples=150, deadline=None)
@given(resources())
def test_anything_is_in_sync_with_itself(resource: tuple[TypeSchema, dict[str, Any]]) -> None:
    one, properties = resource
    found = compare(properties, copy.deepcopy(properties), one)
    assert found.status is DriftStatus.IN_SYNC
    assert found.differences == found.undeclared == found.not_checked == found.folded == ()


def shuffled(
    value: Any, node: Node | None, chance: random.Random, type_name: str, path: tuple[str, ...] = ()
) -> Any:
    """``value`` with the members of every list that is no sequence in another order.

    A few lists are sequences although the registry says otherwise: those of the table ``ordered-list``.
    """
    if isinstance(value, dict):
        return {
            name: shuffled(child, node.child(name) if node else None, chance, type_name, (*path, name))
            for name, child in value.items()
        }
    if isinstance(value, list):
        below = node.items if node else None
        members = [shuffled(child, below, chance, type_name, (*path, "*")) for child in value]
        sequence = node is None or node.insertion_order is not False
        if not sequence and not listed("ordered-list", type_name, path):
            chance.shuffle(members)
        return members
    return value


@settings(max_examples=150, deadline=None)
@given(resources(), st.randoms(use_true_random=False))
def test_the_order_of_a_set_means_nothing(
    resource: tuple[TypeSchema, dict[str, Any]], chance: random.Random
) -> None:
    one, properties = resource
    found = compare(properties, shuffled(properties, one.root, chance, one.name), one)
    assert found.differences == ()
    assert found.reordered == ()


def answered(
    value: Any, node: Node | None, one: TypeSchema, path: tuple[Any, ...], chance: random.Random
) -> Any:
    """``value`` as AWS might read it back: sets in any order, scalars as texts, no secrets, more that is read-only."""
    if isinstance(value, dict):
        shown = {
            name: answered(child, node.child(name) if node else None, one, (*path, name), chance)
            for name, child in value.items()
            if not one.is_write_only((*path, name))
        }
        for name in node.names if node is not None else ():
            if name not in value and one.is_read_only((*path, name)):
                shown[name] = "made-by-aws"
        return shown
    if isinstance(value, list):
        members = [
            answered(child, node.items if node else None, one, (*path, place), chance)
            for place, child in enumerate(value)
        ]
        if not listed("ordered-list", one.name, general(path)):
            chance.shuffle(members)
        return members
    if isinstance(value, bool | int) and chance.random() < 0.5:
        return str(value).lower()
    return value


@settings(max_examples=300, deadline=None)
@given(resources(), st.randoms(use_true_random=False))
def test_the_forms_in_which_aws_answers_are_no_drift(
    resource: tuple[TypeSchema, dict[str, Any]], chance: random.Random
) -> None:
    one, declared = resource
    live = answered(declared, one.root, one, (), chance)
    if one.tag_property and isinstance(live.get(one.tag_property), list):
        live[one.tag_property].append({"Key": "aws:cloudformation:stack-name", "Value": "s"})
    found = compare(declared, live, one)
    assert found.differences == (), found
    assert found.undeclared == (), found


@settings(max_examples=150, deadline=None)
@given(resources(), resources())
def test_the_patch_of_the_differences_gives_what_is_declared(
    first: tuple[TypeSchema, dict[str, Any]], second: tuple[TypeSchema, dict[str, Any]]
) -> None:
    one, declared = first
    live = second[1]
    found = compare(declared, live, one)
    repaired = apply_patch(to_patch(found.differences, declared, live), live)
    assert compare(declared, repaired, one).differences == ()


def scalars(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [place for name, child in value.items() for place in scalars(child, (*path, name))]
    if isinstance(value, list):
        return [place for number, child in enumerate(value) for place in scalars(child, (*path, number))]
    return [path]


@settings(max_examples=200, deadline=None)
@given(resources(), st.data())
def test_any_single_change_is_reported(
    resource: tuple[TypeSchema, dict[str, Any]], data: st.DataObject
) -> None:
    one, declared = resource
    path = data.draw(st.sampled_from(scalars(declared)))
    live = copy.deepcopy(declared)
    parent: Any = live
    for part in path[:-1]:
        parent = parent[part]
    old = parent[path[-1]]
    parent[path[-1]] = (
        not old if isinstance(old, bool) else old + 70000 if isinstance(old, int) else f"{old}-other"
    )
    found = compare(declared, live, one)
    assert found.differences or found.undeclared, (path, found)
    assert found.differences, (path, found)
