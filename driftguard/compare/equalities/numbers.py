"""Numbers and booleans that one side writes as text."""

from __future__ import annotations

import re
from decimal import Decimal

from driftguard.compare.equalities.place import Place
from driftguard.compare.forms import scalar
from driftguard.model import Json

_DECIMAL = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?")
_SIZE_PROPERTY = re.compile(r"(Cpu|CPU|Memory|Disk)$")
_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})\s*(vcpu|[gm]b)?", re.IGNORECASE)
_UNITS = {"": 1, "mb": 1, "gb": 1024, "vcpu": 1024}
_TRUE = frozenset({"true", "on", "1", "yes"})
_FALSE = frozenset({"false", "off", "0", "no"})


def scalar_type(declared: Json, live: Json, place: Place) -> bool:
    """``5432`` is ``"5432"``, ``true`` is ``"true"``, ``5`` is ``"5.0"``; two texts are never compared so."""
    if isinstance(declared, str) and isinstance(live, str):
        # A template may hold what YAML or a console made of a boolean: "True".
        wants_boolean = place.node is not None and place.node.is_a("boolean")
        return wants_boolean and declared.lower() == live.lower() and declared.lower() in ("true", "false")
    one, other = scalar(declared), scalar(live)
    if one == other or {one.lower(), other.lower()} in ({"true"}, {"false"}):
        return True
    if isinstance(declared, bool) or isinstance(live, bool):
        return False
    return _decimal(one) is not None and _decimal(one) == _decimal(other)


def numeric_string(declared: Json, live: Json, place: Place) -> bool:
    """``"100"`` is ``"100.0"`` where the property holds an amount, and where the schema says number."""
    if not (isinstance(declared, str) and isinstance(live, str)):
        return False
    wants_number = place.node is not None and (place.node.is_a("number") or place.node.is_a("integer"))
    if not wants_number and not place.listed("numeric-string"):
        return False
    return _decimal(declared) is not None and _decimal(declared) == _decimal(live)


def boolean_token(declared: Json, live: Json, place: Place) -> bool:
    """``ON`` is ``1`` is ``true`` in the parameters of database parameter groups."""
    if not place.listed("boolean-token"):
        return False
    pair = {scalar(declared).lower(), scalar(live).lower()}
    return pair <= _TRUE or pair <= _FALSE


def quantity(declared: Json, live: Json, place: Place) -> bool:
    """Processor and memory sizes: ``4vCPU`` is ``4 vCPU`` is ``4096``, ``.5 GB`` is ``512`` (MiB).

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
    """
    if not place.in_schema or not _SIZE_PROPERTY.search(place.name):
        return False
    one, other = _size(declared), _size(live)
    return one is not None and one == other


def _size(value: Json) -> Decimal | None:
    found = _SIZE.fullmatch(scalar(value).strip())
    return Decimal(found.group(1)) * _UNITS[(found.group(2) or "").lower()] if found else None


def _decimal(text: str) -> Decimal | None:
    return Decimal(text) if _DECIMAL.fullmatch(text) else None
