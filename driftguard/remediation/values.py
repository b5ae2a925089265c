"""Values at JSON pointers, and the RFC 6902 patches that set and restore them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from driftguard.compare.forms import pointer
from driftguard.model import Json
from driftguard.model.resource import Partial, Unknown
from driftguard.schema import split_pointer

ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "absent"})()
"""What stands where there is nothing."""
Operation = dict[str, Any]


def at(value: Json, place: str) -> Json:
    """What stands at a pointer, or `ABSENT`."""
    for part in split_pointer(place):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list | tuple) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return ABSENT
    return value


def settings_patch(wanted: Mapping[str, Json], live: Mapping[str, Json]) -> list[Operation]:
    """The patch that sets each pointer of ``wanted``; an `ABSENT` value takes it away.

    Objects on the way that do not exist are made; what is as wanted already needs no operation.  Two
    pointers below one missing object become one operation.
    """
    operations: dict[str, Operation] = {}
    for place, value in wanted.items():
        if at(live, place) == value:
            continue
        if value is ABSENT:
            operations[place] = {"op": "remove", "path": place}
            continue
        parts = split_pointer(place)
        depth = len(parts)
        while depth > 1 and not isinstance(at(live, pointer(parts[: depth - 1])), Mapping | list | tuple):
            depth -= 1
        root = pointer(parts[:depth])
        verb = "add" if at(live, root) is ABSENT else "replace"
        known = operations.get(root)
        operations[root] = {"op": verb, "path": root, "value": _nested(parts[depth:], value, known)}
    return list(operations.values())


def _nested(parts: tuple[str, ...], value: Json, known: Operation | None) -> Json:
    if not parts:
        return value
    base = dict(known["value"]) if known and isinstance(known.get("value"), Mapping) else {}
    target = base
    for part in parts[:-1]:
        target[part] = dict(target.get(part) or {})
        target = target[part]
    target[parts[-1]] = value
    return base


def undo(operations: Iterable[Mapping[str, Any]], live: Mapping[str, Json]) -> list[Operation]:
    """The patch that puts back what ``operations`` will overwrite in ``live``."""
    back: list[Operation] = []
    for operation in operations:
        before = at(live, operation["path"])
        if before is ABSENT:
            back.append({"op": "remove", "path": operation["path"]})
        else:
            # RFC 6902 section 4.1: "add" on a member that exists replaces it.
            back.append({"op": "add", "path": operation["path"], "value": before})
    return back[::-1]


def saved(operations: Iterable[Mapping[str, Any]], live: Mapping[str, Json]) -> dict[str, Json]:
    """What stands where ``operations`` will act, by pointer; what is absent is left out."""
    found = {operation["path"]: at(live, operation["path"]) for operation in operations}
    return {place: value for place, value in found.items() if value is not ABSENT}


def unknown_in(value: Json) -> str:
    """Why a value is not wholly known; empty when it is."""
    if isinstance(value, Unknown | Partial):
        return value.reason or "it is known only in part"
    children: Iterator[Json] | Iterable[Json] = ()
    if isinstance(value, Mapping):
        children = value.values()
    elif isinstance(value, list | tuple):
        children = value
    return next((reason for child in children if (reason := unknown_in(child))), "")
