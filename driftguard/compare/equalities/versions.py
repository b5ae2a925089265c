"""Versions: a prefix, an automatic upgrade, a sentinel."""

from __future__ import annotations

import re

from driftguard.compare.equalities.place import Place
from driftguard.compare.forms import scalar
from driftguard.model import Json

_VERSION = re.compile(r"v?\d+(\.[\w-]+)*")


def version_prefix(declared: Json, live: Json, place: Place) -> bool:
    """``8.0`` is ``8.0.45`` where the service fills in what the template leaves open, and the reverse."""
    one, other = scalar(declared), scalar(live)
    if not (_VERSION.fullmatch(one) and _VERSION.fullmatch(other)):
        return False
    if not place.listed("version-prefix"):
        # Elsewhere only a template that leaves the end open; Kafka versions are always complete.
        is_open = place.in_schema and place.name.endswith("Version") and place.name != "KafkaVersion"
        return bool(is_open and other.startswith(one + ".") and "." in one)
    short, long = sorted((one.split("."), other.split(".")), key=len)
    if len(short) == len(long):
        return False
    open_end = short[-1] in ("x", "X")
    return long[: len(short) - open_end] == short[: len(short) - open_end]


def automatic_upgrade(declared: Json, live: Json, place: Place) -> bool:
    """A newer minor version where the template itself asks for automatic minor upgrades."""
    if not place.listed("version-prefix") or place.root.get("AutoMinorVersionUpgrade") not in (True, "true"):
        return False
    one, other = _numbers(scalar(declared)), _numbers(scalar(live))
    if not one or not other or other <= one:
        return False
    # The major version is one number, or two for engines before PostgreSQL 10 and for MySQL.
    engine = str(place.root.get("Engine", ""))
    major = 1 if one[0] >= 9 or "postgres" in engine else 2
    return one[:major] == other[:major]


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(".") if part.isdigit()] if _VERSION.fullmatch(text) else []


def sentinel(declared: Json, live: Json, place: Place) -> bool:
    """``LATEST`` is answered as the version it stood for; the tables list other words that AWS replaces."""
    if declared in ("LATEST", "latest") and place.name.endswith("Version"):
        return isinstance(live, str) and _VERSION.fullmatch(live) is not None
    row = place.sentinel_row
    return row is not None and declared == row["word"] and live in row["stands_for"]


def recipe_version(declared: Json, live: Json, place: Place) -> bool:
    """Image Builder fills the ``x`` of a version in: ``1.0.x`` is ``1.0.3``."""
    if not (isinstance(declared, str) and isinstance(live, str)):
        return False
    is_arn = ":imagebuilder:" in declared
    parts = re.split(r"([./])", declared)
    if not (place.name.endswith("Version") or is_arn) or "x" not in parts:
        return False
    # The ARN of a version that was chosen ends in its build: ``/1.0.3/1``.
    pattern = "".join(r"\d+" if part == "x" else re.escape(part) for part in parts)
    return re.fullmatch(pattern + r"(/\d+)?" * is_arn, live) is not None
