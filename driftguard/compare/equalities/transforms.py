"""The registry's own ``propertyTransform``: JSONata that turns a declared value into what a read gives.

https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html#schema-properties-propertyTransform

JSONata is slow, so this is the last rule, each evaluation is remembered, and an expression that does not look
at the declared value (AWS publishes some constants) is never run: it would hide every change.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson

from driftguard.compare.equalities.place import Place
from driftguard.compare.forms import has_hole, key, scalar
from driftguard.model import Json

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_NOWHERE = "\x00 no value of AWS \x00"
_NOTHING = object()
_ARN_PARTS = 6


def property_transform(declared: Json, live: Json, place: Place) -> bool:
    """Whether a transform of the declared value gives the live one, or a pattern that it fits."""
    schema = place.schema
    if schema is None or not schema.transforms:
        return False
    path = place.general
    for length in range(len(path), 0, -1):
        for expression in schema.transforms.get(path[:length], ()):
            if not re.search(rf"\b{re.escape(path[length - 1])}\b", expression):
                continue
            for given in _scopes(declared, place, length):
                result = _evaluate(expression, given)
                if length == len(path):
                    if _fits(result, declared, live, place):
                        return True
                elif _fits_ancestor(result, place, length):
                    return True
    return False


def _scopes(declared: Json, place: Place, length: int) -> Iterator[Json]:
    """The objects an expression may have been written for: the parent, the root, the leaf alone."""
    if isinstance(place.declared, Mapping) and not has_hole(place.declared):
        yield place.declared
    inside_list = any(isinstance(part, int) for part in place.path)
    if not inside_list and not has_hole(place.root):
        yield place.root
    if length == len(place.path) and isinstance(place.path[-1], str):
        name = place.path[-1]
        yield {name: declared}
        is_number = place.node is not None and (place.node.is_a("number") or place.node.is_a("integer"))
        if isinstance(declared, str) and is_number and _NUMBER.fullmatch(declared):
            yield {name: float(declared) if "." in declared else int(declared)}
        elif isinstance(declared, int | float) and not isinstance(declared, bool):
            yield {name: str(declared)}


def _fits(result: Any, declared: Json, live: Json, place: Place) -> bool:
    if result is None or result is _NOTHING:
        return False
    if isinstance(result, list | dict) or isinstance(live, list | dict):
        return bool(key(result) == key(live))
    if scalar(result) == scalar(live):
        return True
    if not (isinstance(result, str) and isinstance(live, str)) or result == declared:
        return False
    if result == f"{declared}.*":
        # Meant as "this version and what follows it"; as a pattern its dots would fit anything.
        return live.startswith(f"{declared}.")
    if _elsewhere(live, place):
        return False
    try:
        with warnings.catch_warnings():
            # AWS's patterns hold "[[]", which Python will read otherwise one day and says so.
            warnings.simplefilter("ignore", FutureWarning)
            pattern = re.compile(result)
    except re.error:
        return False
    if pattern.fullmatch(live) is None or pattern.fullmatch(_NOWHERE) is not None:
        return False
    if pattern.fullmatch(_NOWHERE + live) is not None and pattern.fullmatch(live + _NOWHERE) is not None:
        # A pattern open at both ends means "among others": whole attributes, not parts of them.
        return set(scalar(declared).split(";")) <= set(live.split(";"))
    return True


def _elsewhere(live: str, place: Place) -> bool:
    """Whether ``live`` is the ARN of another account or region: AWS's patterns do not look at these."""
    parts = live.split(":", 5)
    if len(parts) < _ARN_PARTS or parts[0] != "arn":
        return False
    context = place.context
    is_foreign = parts[4].isdigit() and context.account_id not in ("", parts[4])
    return is_foreign or (parts[3] != "" and context.region not in ("", parts[3]))


def _fits_ancestor(result: Any, place: Place, length: int) -> bool:
    """The transform is written at an object above: the whole object must come out as it is live."""
    if not isinstance(result, dict):
        return False
    live: Json = place.live_root
    for part in place.path[:length]:
        if isinstance(part, str) and part in result and isinstance(result[part], dict):
            result = result[part]
        live = live.get(part) if isinstance(live, Mapping) else None
    return live is not None and key(result) == key(live)


def gives_nothing(declared: Json, place: Place) -> bool:
    """Whether a transform says that the declared value reads back as nothing at all."""
    if place.schema is None:
        return False
    for expression in place.schema.transforms.get(place.general, ()):
        if "null" in expression:
            for given in _scopes(declared, place, len(place.path)):
                if _evaluate(expression, given) is None:
                    return True
    return False


def _evaluate(expression: str, given: Json) -> Any:
    if isinstance(given, Mapping):
        # Only what the expression names: the rest of a long resource would be copied for nothing.
        named = _names(expression)
        given = {name: value for name, value in given.items() if name in named}
        if not given:
            return _NOTHING
    try:
        return _remembered(expression, orjson.dumps(given))
    except orjson.JSONEncodeError:
        return _NOTHING


@lru_cache(maxsize=1024)
def _names(expression: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", expression))


@lru_cache(maxsize=8192)
def _remembered(expression: str, given: bytes) -> Any:
    compiled = _compiled(expression)
    if compiled is None:
        return _NOTHING
    try:
        return compiled.evaluate(orjson.loads(given))
    except Exception:  # noqa: BLE001 - AWS's expressions fail on values they were not written for
        return _NOTHING


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> Any:
    from jsonata import Jsonata

    try:
        return Jsonata(expression)
    except Exception:  # noqa: BLE001 - an expression this library cannot read proves nothing
        return None
