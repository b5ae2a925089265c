"""`{{ references }}` and selectors of Automation documents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

REFERENCE = re.compile(r"\{\{\s*([\w.:\-\[\]*'\"$ ]+?)\s*\}\}")
_STEP = re.compile(r"\.\.?([\w\-:/]+)|\.\.?\*|\[\s*('[^']*'|\"[^\"]*\"|-?\d+|\*|\?\([^\]]*\))\s*\]")


class UnresolvedError(LookupError):
    """A reference to something that has no value."""


def substitute(value: Any, lookup: Callable[[str], Any]) -> Any:
    """`value` with all references replaced; a string that is one reference keeps the value's type."""
    if isinstance(value, str):
        whole = REFERENCE.fullmatch(value.strip())
        if whole:
            return lookup(whole[1])
        return REFERENCE.sub(lambda match: _text(lookup(match[1])), value)
    if isinstance(value, Mapping):
        return {key: substitute(inner, lookup) for key, inner in value.items()}
    return [substitute(inner, lookup) for inner in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def select(data: Any, selector: str) -> Any:
    """The value at a JSONPath selector; a list where the path has a wildcard or a filter, None where nothing is.

    Supported are members, indexes, `[*]`, quoted members, `..member` and filters of one comparison, which is what
    Automation documents use.
    """
    found: list[Any] = [data]
    many = False
    position = 1 if selector.startswith("$") else 0
    if not selector.startswith("$"):
        selector = f".{selector}"
    while position < len(selector):
        match = _STEP.match(selector, position)
        if match is None:
            raise UnresolvedError(f"The selector {selector} is not valid")
        deep = match[0].startswith("..")
        if deep:
            found, many = [inner for value in found for inner in _descend(value)], True
        found, wide = _apply(found, match[1], match[2])
        many = many or wide
        position = match.end()
    if many:
        return found
    return found[0] if found else None


def _apply(values: list[Any], member: str | None, bracket: str | None) -> tuple[list[Any], bool]:
    if bracket is None:
        if member is None:
            return [inner for value in values for inner in _children(value)], True
        return [value[member] for value in values if isinstance(value, Mapping) and member in value], False
    if bracket == "*":
        return [inner for value in values for inner in _children(value)], True
    if bracket.startswith("?"):
        return [inner for value in values for inner in _children(value) if _holds(bracket, inner)], True
    if bracket[0] in "'\"":
        key = bracket[1:-1]
        return [value[key] for value in values if isinstance(value, Mapping) and key in value], False
    index = int(bracket)
    return [
        value[index] for value in values if isinstance(value, list) and -len(value) <= index < len(value)
    ], False


def _children(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return list(value.values()) if isinstance(value, Mapping) else []


def _descend(value: Any) -> list[Any]:
    return [value, *(deeper for inner in _children(value) for deeper in _descend(inner))]


def _holds(test: str, value: Any) -> bool:
    match = re.fullmatch(r"\?\(\s*@\.([\w.]+)\s*(==|!=)\s*(.+?)\s*\)", test)
    if not match:
        raise UnresolvedError(f"The filter {test} is not supported")
    for step in match[1].split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    wanted = match[3].strip("'\"")
    same = (str(value).lower() if isinstance(value, bool) else str(value)) == wanted
    return same == (match[2] == "==")


def same(found: Any, wanted: Any) -> bool:
    """Whether a property has a desired value: compared as text, booleans without case."""
    left, right = _text(found).strip('"'), _text(wanted).strip('"')
    if isinstance(found, bool) or isinstance(wanted, bool):
        return left.lower() == right.lower()
    return left == right


def holds(choice: Mapping[str, Any], variable: Any = None) -> bool:
    """Whether a choice of aws:branch is true (its references already replaced)."""
    if "And" in choice:
        return all(holds(inner) for inner in choice["And"])
    if "Or" in choice:
        return any(holds(inner) for inner in choice["Or"])
    if "Not" in choice:
        inner = choice["Not"]
        return not holds(inner[0] if isinstance(inner, list) else inner)
    value = choice.get("Variable", variable)
    text = _text(value)
    for name, test in _TESTS.items():
        if name in choice:
            return test(value, text, choice[name])
    return False


def _number(value: Any) -> float:
    return float(value)


_TESTS: Mapping[str, Callable[[Any, str, Any], bool]] = {
    "StringEquals": lambda _, text, wanted: text == _text(wanted),
    "EqualsIgnoreCase": lambda _, text, wanted: text.lower() == _text(wanted).lower(),
    "StartsWith": lambda _, text, wanted: text.startswith(_text(wanted)),
    "EndsWith": lambda _, text, wanted: text.endswith(_text(wanted)),
    "Contains": lambda _, text, wanted: _text(wanted) in text,
    "NumericEquals": lambda value, _, wanted: _number(value) == _number(wanted),
    "NumericGreater": lambda value, _, wanted: _number(value) > _number(wanted),
    "NumericLesser": lambda value, _, wanted: _number(value) < _number(wanted),
    "NumericGreaterOrEquals": lambda value, _, wanted: _number(value) >= _number(wanted),
    "NumericLesserOrEquals": lambda value, _, wanted: _number(value) <= _number(wanted),
    "BooleanEquals": lambda value, _, wanted: same(value, wanted),
}
