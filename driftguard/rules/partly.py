"""What can be told of a text of which only parts are known: an ARN whose account is open, a map of open values."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import regex

from driftguard.model import Partial, Unknown
from driftguard.rules import text
from driftguard.rules.standard import STANDARD
from driftguard.rules.values import HOLES, reason

_FLAGS = regex.compile(r"\A\(\?[a-zA-Z]+\)")
_LOOKS_AROUND = regex.compile(r"(?<!\\)\$|\(\?[=!<]|\\[AbBZzG]")
_GROUPS = regex.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\((?:[^()\[\\]|\\.|\[(?:\\.|[^\]\\])*\]|(?R))*\)")


def keys(value: Any) -> Any:
    """The names of an object, whose values may be open."""
    if value.__class__ is dict:
        return list(value)
    return Unknown(reason(value)) if value.__class__ in HOLES else STANDARD.call_function("keys", [value])


def values(value: Any) -> Any:
    """The values of an object, open ones among them."""
    if value.__class__ is dict:
        return list(value.values())
    return Unknown(reason(value)) if value.__class__ in HOLES else STANDARD.call_function("values", [value])


def starts_with(value: Any, prefix: Any) -> Any:
    """Whether the text starts so; told by its known beginning."""
    return _edge(value, prefix, "starts_with", 0)


def ends_with(value: Any, suffix: Any) -> Any:
    """Whether the text ends so; told by its known end."""
    return _edge(value, suffix, "ends_with", -1)


def _edge(value: Any, wanted: Any, name: str, place: int) -> Any:
    if wanted.__class__ in HOLES:
        return Unknown(reason(wanted))
    if value.__class__ not in HOLES:
        return STANDARD.call_function(name, [value, wanted])
    edge = _piece(value, place)
    if edge is None or wanted.__class__ is not str:
        return Unknown(reason(value))
    if len(edge) >= len(wanted):
        return bool(getattr(edge, name.replace("_", ""))(wanted))
    fits = wanted.startswith(edge) if place == 0 else wanted.endswith(edge)
    return Unknown(reason(value)) if fits else False


def matches(value: Any, pattern: Any) -> Any:
    """Whether the regular expression is found; a known part may hold it, a known beginning rule it out."""
    if pattern.__class__ in HOLES:
        return Unknown(reason(pattern))
    if value.__class__ not in HOLES:
        return text.matches(value, pattern)
    if value.__class__ is Partial and not value.base64:
        told = _told(value.parts, pattern)
        if told is not None:
            return told
    return Unknown(reason(value))


def _told(parts: tuple[str | Unknown, ...], pattern: str) -> bool | None:
    from_start, inside = _kind(pattern)
    first = parts[0] if isinstance(parts[0], str) else ""
    if inside:
        known = [first] if from_start else [part for part in parts if isinstance(part, str)]
        if any(part and text.matches(part, pattern) for part in known):
            return True
    if from_start and not text.may_begin(first, pattern):
        return False
    return None


@lru_cache(maxsize=1024)
def _kind(pattern: str) -> tuple[bool, bool]:
    """Whether every match starts where the text does; whether what is found in a part is found in the whole."""
    plain = _FLAGS.sub("", pattern)
    alternatives = "|" in _GROUPS.sub("", plain)
    from_start = plain.startswith("^") and not alternatives
    return from_start, not _LOOKS_AROUND.search(plain) and (from_start or "^" not in _GROUPS.sub("", plain))


def _piece(value: Any, place: int) -> str | None:
    if value.__class__ is not Partial or value.base64:
        return None
    piece = value.parts[place]
    return piece if isinstance(piece, str) else None
