"""What compiled expressions find in their globals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from driftguard.model import Partial, Unknown
from driftguard.rules.values import (
    HOLES,
    OPAQUE,
    Maybe,
    Reference,
    Unseen,
    comparable,
    differ,
    equal,
    every,
    first_hole,
    negate,
    ordered,
    reason,
    same,
    some,
    truth,
)


def hole_field(value: Any) -> Any:
    """A field or element of something that is no container: null, or the hole that it is."""
    if value.__class__ in HOLES:
        return None if value.__class__ is Partial else Unseen(reason(value))
    return None


def flatten(value: Any) -> Any:
    """JMESPath ``[]``."""
    if value.__class__ is not list:
        return hole_field(value)
    merged: list[Any] = []
    for item in value:
        if item.__class__ is list:
            merged.extend(item)
        elif item.__class__ is Maybe and item.value.__class__ is list:
            merged.extend(Maybe(below, item.why) for below in item.value)
        else:
            merged.append(item)
    return merged


def guarded(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call ``function``, unless an argument holds a hole: then the answer is one, too."""
    for argument in arguments:
        hole = first_hole(argument)
        if hole is not None:
            return Unknown(reason(hole))
    return function(*arguments)


def quantify(base: Any, test: Callable[[Any], Any], stop: bool) -> Any:
    """``any`` (``stop`` true) and ``all`` with three values."""
    if base is None:
        return not stop
    if base.__class__ in OPAQUE:
        return Unknown(reason(base))
    items = base if base.__class__ is list else [base]
    return (some if stop else every)(_certain(item, test, stop) for item in items)


def _certain(item: Any, test: Callable[[Any], Any], stop: bool) -> Any:
    if item.__class__ is not Maybe:
        return truth(test(item))
    answer = truth(test(item.value))
    return item.why if answer is stop else answer


GLOBALS: dict[str, Any] = {
    "__builtins__": {"len": len},
    "Maybe": Maybe,
    "NOTHING": {},
    "Reference": Reference,
    "comparable": comparable,
    "differ": differ,
    "dict": dict,
    "equal": equal,
    "flatten": flatten,
    "float": float,
    "guarded": guarded,
    "hole_field": hole_field,
    "int": int,
    "list": list,
    "negate": negate,
    "ordered": ordered,
    "quantify": quantify,
    "same": same,
    "truth": truth,
}
