"""Differences -> the RFC 6902 patch that turns the live state into the declared one.

For Cloud Control's UpdateResource, whose document is the live model
(https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/resource-operations-update.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from driftguard.compare.forms import pointer
from driftguard.model import Json, PropertyDifference
from driftguard.schema import split_pointer


def to_patch(
    differences: Iterable[PropertyDifference], declared: Mapping[str, Json], live: Mapping[str, Json]
) -> list[dict[str, Any]]:
    """One operation for each object property concerned.

    What lies inside a list, a policy or a text is put back as the whole list, policy or text: the index of a
    member on one side is not its index on the other, and a patch by index would hit a neighbour.
    """
    operations: dict[str, dict[str, Any]] = {}
    for difference in differences:
        path, expected, actual = _patchable(difference.path, declared, live)
        place = pointer(path)
        if place in operations:
            continue
        if expected is None:
            operations[place] = {"op": "remove", "path": place}
        else:
            operations[place] = {
                "op": "add" if actual is None else "replace",
                "path": place,
                "value": expected,
            }
    return [operation for place, operation in operations.items() if not _covered(place, operations)]


def apply_patch(operations: Iterable[Mapping[str, Any]], live: Mapping[str, Json]) -> dict[str, Json]:
    """The live state after the patch, as a new object.  Knows the operations that `to_patch` makes."""
    result = _copy(live)
    for operation in operations:
        *parents, name = split_pointer(operation["path"])
        target = result
        for parent in parents:
            target = target[parent]
        if operation["op"] == "remove":
            target.pop(name, None)
        else:
            target[name] = _copy(operation["value"])
    return result  # type: ignore[no-any-return]  # Json is Any, and live is an object


def _patchable(path: str, declared: Json, live: Json) -> tuple[tuple[str, ...], Json, Json]:
    """The deepest place on the way to ``path`` that is a property of an object on both sides."""
    taken: tuple[str, ...] = ()
    for part in split_pointer(path):
        if not (isinstance(declared, Mapping) and isinstance(live, Mapping)):
            break
        taken = (*taken, part)
        declared, live = declared.get(part), live.get(part)
        if declared is None or live is None or _is_policy(declared):
            break
    return taken, declared, live


def _is_policy(value: Json) -> bool:
    return isinstance(value, Mapping) and "Statement" in value


def _covered(place: str, operations: Mapping[str, Any]) -> bool:
    return any(place.startswith(other + "/") for other in operations)


def _copy(value: Json) -> Any:
    if isinstance(value, Mapping):
        return {name: _copy(child) for name, child in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(child) for child in value]
    return value
