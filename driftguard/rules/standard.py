"""JMESPath's own functions, called from compiled code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jmespath.functions
from jmespath.visitor import Visitor, _Expression


class _Caller(Visitor):
    """What jmespath's own functions call to evaluate an expression argument: a compiled function."""

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        return node(*args, **kwargs)


_CALLER = _Caller()
STANDARD = jmespath.functions.Functions()


def delegate(name: str, expressions: frozenset[int]) -> Callable[..., Any]:
    """JMESPath's own function, its expression arguments given as compiled functions."""

    def call(*arguments: Any) -> Any:
        given = [
            _Expression(value, _CALLER) if at in expressions else value for at, value in enumerate(arguments)
        ]
        return STANDARD.call_function(name, given)

    return call


ARGUMENTS: dict[str, tuple[str, ...]] = {
    "abs": ("number",),
    "avg": ("numbers",),
    "ceil": ("number",),
    "floor": ("number",),
    "join": ("glue", "strings"),
    "map": ("&expression", "list"),
    "max": ("list",),
    "max_by": ("list", "&expression"),
    "min": ("list",),
    "min_by": ("list", "&expression"),
    "reverse": ("list",),
    "sort": ("list",),
    "sort_by": ("list", "&expression"),
    "sum": ("numbers",),
    "to_number": ("value",),
    "to_string": ("value",),
    "type": ("value",),
}
