"""What CloudFormation calls a difference between expected and actual properties.

Observed on AWS (recorded answers in the AWS CLI's and LocalStack's test data, and the user guide's page
"Detect drift on an entire stack"): only properties that the template sets are looked at; paths are JSON
pointers; values are text; a list whose order has no meaning is compared as a set; tags by their key.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from driftguard.schema.types import Node

Difference = dict[str, str]


def as_value(value: Any) -> str:
    """A value as it stands in ExpectedValue and ActualValue."""
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"), sort_keys=True, default=str)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def compare(
    expected: Mapping[str, Any], actual: Mapping[str, Any], node: Node | None, unordered: Collection[str]
) -> list[Difference]:
    """The differences of two property maps, sorted by property name.

    ``node`` is the schema's root, ``unordered`` names further lists without order by their pointer without
    indexes and without the first slash.
    """
    found: list[Difference] = []
    for name in sorted(expected):
        below = node.child(name) if node else None
        path = f"/{_escaped(name)}"
        if name in actual:
            found += _values(expected[name], actual[name], below, path, name, unordered)
        else:
            found.append(_difference(path, expected[name], None, "REMOVE"))
    return found


def _values(
    expected: Any, actual: Any, node: Node | None, path: str, place: str, unordered: Collection[str]
) -> Iterator[Difference]:
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        yield from _objects(expected, actual, node, path, place, unordered)
    elif isinstance(expected, list) and isinstance(actual, list):
        below = node.items if node else None
        if node is not None and node.attribute_list:
            # arrayType AttributeList: the service adds every attribute that the template leaves out.
            said = {item.get("Key") for item in expected if isinstance(item, Mapping)}
            actual = [item for item in actual if not isinstance(item, Mapping) or item.get("Key") in said]
        by_key = place in unordered or _is_set(node) or _are_tags(expected + actual)
        compare_lists = _sets if by_key else _sequences
        yield from compare_lists(expected, actual, below, path, place, unordered)
    elif not same(expected, actual):
        yield _difference(path, expected, actual, "NOT_EQUAL")


def _is_set(node: Node | None) -> bool:
    return node is not None and node.insertion_order is False


def _are_tags(items: list[Any]) -> bool:
    return bool(items) and all(isinstance(i, Mapping) and {"Key", "Value"} == set(i) for i in items)


def _objects(
    expected: Mapping[str, Any],
    actual: Mapping[str, Any],
    node: Node | None,
    path: str,
    place: str,
    unordered: Collection[str],
) -> Iterator[Difference]:
    for name in sorted({*expected, *actual}):
        below = node.child(name) if node else None
        deeper = f"{path}/{_escaped(name)}"
        if name not in actual:
            yield _difference(deeper, expected[name], None, "REMOVE")
        elif name in expected:
            yield from _values(expected[name], actual[name], below, deeper, f"{place}/{name}", unordered)
        elif not _unset(actual[name], node, below):
            yield _difference(deeper, None, actual[name], "ADD")


def _unset(value: Any, parent: Node | None, node: Node | None) -> bool:
    """Whether a member that only the live resource has is what the service fills in by itself: empty,
    false, zero or the schema's default, in an object whose members the schema lists."""
    if parent is None or parent.free_form:
        return False
    return value in (None, "", [], {}, False, 0) or (
        node is not None and node.has_default and node.default == value
    )


def _sequences(
    expected: list[Any],
    actual: list[Any],
    node: Node | None,
    path: str,
    place: str,
    unordered: Collection[str],
) -> Iterator[Difference]:
    for index in range(max(len(expected), len(actual))):
        here = f"{path}/{index}"
        if index >= len(actual):
            yield _difference(here, expected[index], None, "REMOVE")
        elif index >= len(expected):
            yield _difference(here, None, actual[index], "ADD")
        else:
            yield from _values(expected[index], actual[index], node, here, place, unordered)


def _sets(
    expected: list[Any],
    actual: list[Any],
    node: Node | None,
    path: str,
    place: str,
    unordered: Collection[str],
) -> Iterator[Difference]:
    rest = list(enumerate(actual))
    missing: list[tuple[int, Any]] = []
    for index, item in enumerate(expected):
        twin = next((p for p in rest if not list(_values(item, p[1], node, "", place, unordered))), None)
        if twin is None:
            missing.append((index, item))
        else:
            rest.remove(twin)
    for index, item in missing:
        partner = _partner(item, rest, alone=len(missing) == len(rest) == 1)
        if partner is None:
            yield _difference(f"{path}/{index}", item, None, "REMOVE")
        else:
            rest.remove(partner)
            yield from _values(item, partner[1], node, f"{path}/{index}", place, unordered)
    for index, item in rest:
        yield _difference(f"{path}/{index}", None, item, "ADD")


def _partner(item: Any, rest: list[tuple[int, Any]], *, alone: bool) -> tuple[int, Any] | None:
    """The live member that ``item`` has become: the one with the same key or name, or the only one left."""
    if not isinstance(item, Mapping):
        return None
    for name in ("Key", "Id", "Name", "PolicyName", "AttributeName", "IndexName"):
        if name in item:
            return next((p for p in rest if isinstance(p[1], Mapping) and p[1].get(name) == item[name]), None)
    return rest[0] if alone and isinstance(rest[0][1], Mapping) else None


def same(left: Any, right: Any) -> bool:
    """Equality as the handlers see it: 5 is "5", true is "true", and in policies "x" is ["x"]."""
    if isinstance(left, list) and len(left) == 1 and not isinstance(right, list):
        return same(left[0], right)
    if isinstance(right, list) and len(right) == 1 and not isinstance(left, list):
        return same(left, right[0])
    if isinstance(left, int | float) and isinstance(right, int | float) and not isinstance(left, bool):
        return left == right
    return as_value(left) == as_value(right)


def _difference(path: str, expected: Any, actual: Any, kind: str) -> Difference:
    return {
        "PropertyPath": path,
        "ExpectedValue": as_value(expected),
        "ActualValue": as_value(actual),
        "DifferenceType": kind,
    }


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
