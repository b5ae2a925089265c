"""Plain forms of values: pointers, intrinsics, emptiness, and the key by which members of a list are hashed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from driftguard.model import Json, Partial, Unknown

Path = tuple[str | int, ...]
_DYNAMIC = re.compile(r"\{\{resolve:[^}]*\}\}")


def pointer(path: Iterable[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def general(path: Path) -> tuple[str, ...]:
    """The path with ``*`` for list indices."""
    return tuple("*" if isinstance(part, int) else part for part in path)


def hole(value: Json) -> Unknown | Partial | None:
    """Why ``value`` is not known, if it is not: an `Unknown`, an intrinsic left over, a dynamic reference."""
    if isinstance(value, Unknown | Partial):
        return value
    if isinstance(value, Mapping):
        if len(value) == 1:
            name = next(iter(value))
            if name.startswith("Fn::") or (name == "Ref" and isinstance(value[name], str)):
                return Unknown(f"{name} is not resolved")
        return None
    if isinstance(value, str) and "{{resolve:" in value:
        reason = Unknown("a dynamic reference is not read")
        pieces = _DYNAMIC.split(value)
        if not any(pieces):
            return reason
        parts: list[str | Unknown] = [pieces[0]]
        for piece in pieces[1:]:
            parts += [reason, piece]
        return Partial(tuple(part for part in parts if part != ""))
    return None


def has_hole(value: Json) -> bool:
    """Whether something inside ``value`` is not known."""
    if hole(value) is not None:
        return True
    if isinstance(value, Mapping):
        return any(has_hole(child) for child in value.values())
    if isinstance(value, list | tuple):
        return any(has_hole(child) for child in value)
    return False


def is_empty(value: Json) -> bool:
    """``null``, ``""``, ``[]``, ``{}``, and containers of nothing else."""
    if isinstance(value, Mapping):
        return all(is_empty(child) for child in value.values())
    if isinstance(value, list | tuple):
        return all(is_empty(child) for child in value)
    return value is None or value == ""


def says_nothing(value: Json) -> bool:
    """Whether a declared value asks for nothing.

    Like `is_empty`, but an object that is a choice by its mere presence (``{"Allow": {}}``) says something.
    """
    if isinstance(value, Mapping):
        return all(says_nothing(child) and not isinstance(child, Mapping) for child in value.values())
    if isinstance(value, list | tuple):
        return all(says_nothing(child) and not isinstance(child, Mapping) for child in value)
    return value is None or value == ""


def scalar(value: Json) -> str:
    """The text of a scalar, so that ``5`` is ``"5"`` and ``true`` is ``"true"``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(value)


def key(value: Json) -> Any:
    """A hashable that equal values share: numbers and booleans by their text, ``null`` members left out."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return frozenset([(name, key(child)) for name, child in value.items() if child is not None])
    if isinstance(value, list | tuple):
        return tuple([key(child) for child in value])
    if isinstance(value, Unknown | Partial):
        return ("?", id(value))
    return scalar(value)


def plain(value: Json) -> Json:
    """``value`` for people: what is not known as ``*``."""
    if isinstance(value, Unknown):
        return "*"
    if isinstance(value, Partial):
        return str(value)
    if isinstance(value, Mapping):
        return {name: plain(child) for name, child in value.items()}
    if isinstance(value, list | tuple):
        return [plain(child) for child in value]
    return value
