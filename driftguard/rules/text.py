"""Functions on texts, versions and instants."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import regex

if TYPE_CHECKING:
    from driftguard.rules.relations import Judged

_REGEX_SECONDS = 0.5


def listed(value: Any) -> list[Any]:
    """A list out of a list, a comma-separated text, a single value or null."""
    if value is None:
        return []
    if value.__class__ is str:
        return split(value, ",")
    return value if value.__class__ is list else [value]


def split(value: Any, separator: str) -> list[Any]:
    """The parts of a text, trimmed, empty ones dropped; null gives none."""
    if value is None:
        return []
    return [part.strip() for part in str(value).split(separator) if part.strip()]


def share(value: Any, percent: Any) -> float | None:
    """``percent`` of a number; None for null."""
    return None if value is None or percent is None else float(value) * float(percent) / 100


def unique(value: Any) -> list[Any]:
    """A list without repetitions, in its order; null gives none."""
    found: list[Any] = []
    for item in value if value.__class__ is list else ():
        if item not in found:
            found.append(item)
    return found


def number(value: Any) -> int | float | None:
    """The number that a value is or spells, else None."""
    if value.__class__ in (int, float):
        found: int | float = value
        return found
    if value.__class__ is not str:
        return None
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        return None


def lower(value: Any) -> Any:
    """Lower case of a text or of every text of a list; anything else as it is."""
    if value.__class__ is list:
        return [lower(item) for item in value]
    return value.lower() if value.__class__ is str else value


@lru_cache(maxsize=512)
def _pattern(text: str) -> Any:
    return regex.compile(text)


def matches(value: Any, pattern: str) -> bool:
    """Whether ``pattern`` is found in the text.  Raises TimeoutError on a pattern that runs away."""
    if value.__class__ is not str:
        return False
    return _pattern(pattern).search(value, timeout=_REGEX_SECONDS) is not None


def may_begin(beginning: str, pattern: str) -> bool:
    """Whether a text that begins so could match ``pattern`` at its start."""
    return _pattern(pattern).match(beginning, partial=True, timeout=_REGEX_SECONDS) is not None


def json_of(value: Any) -> Any:
    """A JSON text as its value; objects, lists and null unchanged.  Raises ValueError on anything else."""
    if value.__class__ is not str:
        return value
    text = unquote(value) if value.lstrip()[:3].upper() in ("%7B", "%5B") else value
    return json.loads(text)


def version_at_least(version: Any, least: Any) -> bool | None:
    """Compare dotted versions number by number; None when either is none."""
    left, right = _numbers(version), _numbers(least)
    if not left or not right:
        return None
    width = max(len(left), len(right))
    return left + (0,) * (width - len(left)) >= right + (0,) * (width - len(right))


def _numbers(version: Any) -> tuple[int, ...]:
    if version.__class__ in (int, float):
        version = str(version)
    if version.__class__ is not str:
        return ()
    return tuple(int(part) for part in regex.findall(r"\d+", version))


def instant(value: Any) -> datetime | None:
    """An aware UTC instant out of ISO 8601 text, epoch seconds or a datetime; None for null."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if value.__class__ in (int, float):
        return datetime.fromtimestamp(value, UTC)
    found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def age_days(c: Judged, value: Any) -> float | None:
    """Days between the instant and the moment of judging."""
    then = instant(value)
    return None if then is None else (c.context.now - then).total_seconds() / 86400
