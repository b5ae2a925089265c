"""Conditions as one Python expression: what the plain form of a policy spends its time on.

A loop over the rules of a group asks a few fields a few plain questions; as one expression that costs half of
what a statement for each step does.  What has no such form is left to `driftguard.rules.emit`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from driftguard.rules.functions import FUNCTIONS

Node = Mapping[str, Any]
_SIGNS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_BEHIND = ("any", "all", "param", "root")


class Inline:
    """Writes conditions on the values in variables; ``dicts`` are those that certainly hold a dict.

    ``new`` gives a fresh name, ``constant`` the text of a value, ``bound`` the name of a function.
    """

    def __init__(
        self,
        dicts: set[str],
        new: Callable[[], str],
        constant: Callable[[Any], str],
        bound: Callable[[Any], str],
    ) -> None:
        self._dicts = dicts
        self._new = new
        self._constant = constant
        self._bound = bound

    def condition(self, node: Node, cur: str) -> str | None:
        """A Python expression that is true where ``node`` is, in JMESPath's sense; None if there is none."""
        kind, children = node["type"], node.get("children", ())
        if kind in ("and_expression", "or_expression"):
            left, right = (self.condition(child, cur) for child in children)
            word = "and" if kind == "and_expression" else "or"
            return None if left is None or right is None else f"({left} {word} {right})"
        if kind == "not_expression":
            inner = self.condition(children[0], cur)
            return None if inner is None else f"(not {inner})"
        if kind == "comparator":
            return self._comparison(node, cur)
        value = self._value(node, cur)
        if value is None:
            return None
        if kind == "function_expression" and FUNCTIONS[node["value"]].boolean:
            return value
        name = self._new()
        return f"(({name} := {value}) or {name}.__class__ is int or {name}.__class__ is float)"

    def _comparison(self, node: Node, cur: str) -> str | None:
        how = node["value"]
        left, right = (self._value(child, cur) for child in node["children"])
        if left is None or right is None:
            return None
        last = node["children"][1]
        literal = last["value"] if last["type"] == "literal" else ...
        if how in _SIGNS:
            if literal.__class__ is not int:
                return None
            name = self._new()
            whole = f"{name} {_SIGNS[how]} {right}"
            return f"({whole} if ({name} := {left}).__class__ is int else ordered({how!r}, {name}, {right}))"
        if literal.__class__ is str:
            return f"({left} {'==' if how == 'eq' else '!='} {right})"
        plain = node["children"][0]["type"] != "literal"
        if plain and (literal is None or literal.__class__ is bool):
            return f"({left} {'is' if how == 'eq' else 'is not'} {right})"
        return f"({'' if how == 'eq' else 'not '}equal({left}, {right}))"

    def _value(self, node: Node, cur: str) -> str | None:
        kind = node["type"]
        if kind == "literal":
            return self._constant(node["value"])
        if kind == "field":
            return f"{cur}.get({node['value']!r})" if cur in self._dicts else None
        if kind == "subexpression":
            return self._chain(node, cur)
        if kind == "function_expression":
            return self._call(node, cur)
        return None

    def _chain(self, node: Node, cur: str) -> str | None:
        """Fields of fields."""
        first, *rest = node["children"]
        found = self._value(first, cur)
        if first["type"] not in ("field", "subexpression"):
            return None
        for child in rest:
            if found is None or child["type"] != "field":
                return None
            name = self._new()
            found = f"({name}.get({child['value']!r}) if ({name} := {found}).__class__ is dict else None)"
        return found

    def _call(self, node: Node, cur: str) -> str | None:
        if node["value"] in _BEHIND or node["value"] not in FUNCTIONS:
            return None
        function = FUNCTIONS[node["value"]]
        arguments = [self._value(child, cur) for child in node["children"]]
        if function.context or any(one is None for one in arguments):
            return None
        return f"{self._bound(function)}({', '.join(one for one in arguments if one is not None)})"


def only_fields(node: Node) -> bool:
    """Whether an expression looks at its element through fields alone, so that any other value may be `{}`."""
    if node["type"] in ("current", "identity"):
        return False
    return all(only_fields(child) for child in node.get("children", ()) if isinstance(child, dict))
