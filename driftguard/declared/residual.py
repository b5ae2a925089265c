"""What is left of an expression that cannot be known: the intrinsic, with everything known put in."""

from __future__ import annotations

import re
from collections.abc import Mapping

from driftguard.declared.evaluate import Evaluator, function_of
from driftguard.declared.text import NO_VALUE, has_hole
from driftguard.model import Json

_SUB = re.compile(r"\$\{(!?)([^{}]*)\}")
_NAMES = {"Ref", "Fn::GetAtt", "Fn::Transform"}


def residual(evaluator: Evaluator, node: Json) -> Json:
    """``node`` with every known part replaced by its value."""
    if isinstance(node, list):
        items = (residual(evaluator, item) for item in node)
        return [item for item in items if item != {"Ref": "AWS::NoValue"}]
    if not isinstance(node, Mapping):
        return node
    name = function_of(node)
    if name is None:
        return {
            key: item if key == "Fn::Transform" else residual(evaluator, item) for key, item in node.items()
        }
    value = evaluator.value(node)
    if value is NO_VALUE:
        return {"Ref": "AWS::NoValue"}
    if not has_hole(value):
        return value
    argument = node[name]
    if name in _NAMES:
        return dict(node)
    if name == "Fn::Sub":
        return _sub(evaluator, argument)
    if name == "Fn::If":
        return _if(evaluator, argument)
    if name in ("Fn::Select", "Fn::FindInMap") and isinstance(argument, list):
        # Positions count here: an AWS::NoValue that is taken out would shift what stands behind it.
        return {name: [residual(evaluator, item) for item in argument]}
    return {name: residual(evaluator, argument)}


def _if(evaluator: Evaluator, argument: Json) -> Json:
    chosen = evaluator.branch(argument)
    if isinstance(chosen, int):
        return residual(evaluator, argument[chosen])
    if not (isinstance(argument, list) and len(argument) == 3):
        return {"Fn::If": argument}
    return {"Fn::If": [argument[0], residual(evaluator, argument[1]), residual(evaluator, argument[2])]}


def _sub(evaluator: Evaluator, argument: Json) -> Json:
    variables: Mapping[str, Json] = {}
    text = argument
    if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], Mapping):
        text, variables = argument
    if not isinstance(text, str):
        return {"Fn::Sub": argument}
    left: dict[str, Json] = {}

    def put(match: re.Match[str]) -> str:
        name = match[2].strip()
        if match[1]:
            return match[0]
        value = evaluator.variable(name, variables)
        if isinstance(value, str):
            return value.replace("${", "${!")
        if name in variables:
            left[name] = residual(evaluator, variables[name])
        return match[0]

    short = _SUB.sub(put, text)
    return {"Fn::Sub": [short, left] if left else short}
