"""What is there, what is in it, and where it comes from: functions that decide about holes themselves."""

from __future__ import annotations

from typing import Any

from driftguard.model import Partial, Unknown
from driftguard.rules import text
from driftguard.rules.standard import STANDARD
from driftguard.rules.values import (
    HOLES,
    OPAQUE,
    Maybe,
    Reference,
    Secret,
    Supplied,
    Unseen,
    negate,
    reason,
    same,
    some,
)


def length(value: Any) -> Any:
    if value.__class__ is list:
        maybe = next((item for item in value if item.__class__ is Maybe), None)
        if maybe is not None:
            return maybe.why
    elif value.__class__ in HOLES:
        return Unknown(reason(value))
    return STANDARD.call_function("length", [value])


def contains(collection: Any, value: Any) -> Any:
    if collection.__class__ is list:
        return some(element_is(item, value) for item in collection)
    if collection.__class__ is Partial:
        literal = not collection.base64 and any(
            value in part for part in collection.parts if isinstance(part, str)
        )
        return True if literal else Unknown(collection.reason)
    for side in (collection, value):
        if side.__class__ in HOLES:
            return Unknown(reason(side))
    return STANDARD.call_function("contains", [collection, value])


def element_is(item: Any, value: Any) -> Any:
    if item.__class__ is Maybe:
        return False if same(item.value, value) is False else item.why
    return same(item, value)


def has(collection: Any, value: Any) -> Any:
    if collection is None:
        return False
    if collection.__class__ in OPAQUE:
        return Unknown(reason(collection))
    return contains(collection if collection.__class__ is list else [collection], value)


def one_of(value: Any, choices: Any) -> Any:
    return has(text.listed(choices), value)


def present(value: Any) -> Any:
    if value.__class__ in HOLES:
        return Unknown(reason(value)) if value.__class__ in (Unseen, Maybe) else True
    return not (value is None or value == "" or value == [] or value == {})


def absent(value: Any) -> Any:
    return negate(present(value))


def is_true(value: Any) -> Any:
    if value.__class__ in OPAQUE or value.__class__ is Partial:
        return Unknown(reason(value))
    return value is True or (value.__class__ is str and value.lower() == "true")


def is_false(value: Any) -> Any:
    if value.__class__ in OPAQUE or value.__class__ is Partial:
        return Unknown(reason(value))
    return value is False or (value.__class__ is str and value.lower() == "false")


def json(value: Any) -> Any:
    return Unknown(reason(value)) if value.__class__ in HOLES else text.json_of(value)


def count(value: Any) -> Any:
    if value is None:
        return 0
    return length(value) if value.__class__ in (list, dict) or value.__class__ in OPAQUE else 1


def as_list(value: Any) -> Any:
    if value is None:
        return []
    return value if value.__class__ is list or value.__class__ in OPAQUE else [value]


def not_null(*values: Any) -> Any:
    for value in values:
        if value.__class__ in (Unseen, Maybe):
            return Unseen(reason(value))
        if value is not None:
            return value
    return None


def is_reference(value: Any) -> bool:
    return value.__class__ is Reference


def secure_parameter(value: Any) -> bool:
    return value.__class__ is Supplied and value.no_echo and not value.default


def is_parameter(value: Any) -> bool:
    """Whether the value is a template parameter whose value is not known."""
    return value.__class__ is Supplied


def secret_reference(value: Any) -> bool:
    """Whether the value is a dynamic reference to a secret."""
    return value.__class__ is Secret
