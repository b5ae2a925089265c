"""Durations, schedules, windows, instants."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from driftguard.compare.equalities.place import Place
from driftguard.model import Json

_RATE = re.compile(r"rate\(\s*(\d+)\s+(minute|hour|day)s?\s*\)")
_MINUTES = {"minute": 1, "hour": 60, "day": 1440}
_ISO = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_ISO_SECONDS = (604800, 86400, 3600, 60, 1)
_WINDOW = re.compile(r"([a-z]{3}:)?\d\d:\d\d-([a-z]{3}:)?\d\d:\d\d|[a-z]{3}:\d\d:\d\d", re.IGNORECASE)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")
_HOUR = 3600


def rate_expression(declared: Json, live: Json, place: Place) -> bool:
    """``rate(60 minutes)`` is ``rate(1 hour)``."""
    one, other = _rate(declared), _rate(live)
    return one is not None and one == other


def _rate(value: Json) -> int | None:
    found = _RATE.fullmatch(value) if isinstance(value, str) else None
    return int(found.group(1)) * _MINUTES[found.group(2)] if found else None


def iso_duration(declared: Json, live: Json, place: Place) -> bool:
    """``PT24H`` is ``P1D``."""
    one, other = _duration(declared), _duration(live)
    return one is not None and one == other


def _duration(value: Json) -> int | None:
    found = _ISO.fullmatch(value) if isinstance(value, str) and len(value) > 2 else None
    if found is None or not any(found.groups()):
        return None
    return sum(int(count or 0) * unit for count, unit in zip(found.groups(), _ISO_SECONDS, strict=True))


def weekly_window(declared: Json, live: Json, place: Place) -> bool:
    """Maintenance and backup windows have no case: ``Sun:05:00-Sun:06:00``."""
    if not (isinstance(declared, str) and isinstance(live, str)) or not _WINDOW.fullmatch(declared):
        return False
    return declared.lower() == live.lower()


def instant(declared: Json, live: Json, place: Place) -> bool:
    """The same moment, written with or without fractions, ``Z`` or offset (RFC 3339), or as epoch seconds."""
    one, other = _moment(declared), _moment(live)
    if one is None or other is None or not (isinstance(declared, str) or isinstance(live, str)):
        return False
    return one == other


def _moment(value: Json) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and 10**8 < value < 10**11:
        return float(value)
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def rounded_hour(declared: Json, live: Json, place: Place) -> bool:
    """AppSync rounds the expiry of an API key down to the hour."""
    if not place.listed("rounded-hour"):
        return False
    try:
        one, other = int(declared), int(live)
    except (TypeError, ValueError):
        return False
    return one // _HOUR * _HOUR == other
