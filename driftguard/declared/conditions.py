"""The conditions of a template, in Kleene's logic: false and unknown is false, true and unknown unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

from driftguard.declared.context import ResolveContext
from driftguard.declared.functions import unknown_of
from driftguard.declared.text import as_text, first_hole, may_be_equal
from driftguard.model import Json, Partial, Unknown

Truth: TypeAlias = bool | Unknown
LOGIC = frozenset({"Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals"})


class Values(Protocol):
    """What conditions ask of the evaluator."""

    context: ResolveContext
    resources: Mapping[str, Json]

    def value(self, node: Json) -> Json: ...

    def call(self, name: str, argument: Json) -> Json: ...


class Conditions:
    """The truth of each condition, by its name, found once."""

    def __init__(self, values: Values, definitions: Mapping[str, Json]) -> None:
        self._values = values
        self._definitions = definitions
        self._truths: dict[str, Truth] = {}
        self.deciding = False
        """Whether a condition is being decided: it may look at a secret parameter, a property never shows one."""

    def named(self, name: str) -> Truth:
        """The truth of a condition by its name."""
        if name not in self._truths:
            self._truths[name] = Unknown(f"the condition {name} refers to itself")
            truth = self._decided(name)
            self._truths[name] = self._seen(name, truth) if isinstance(truth, Unknown) else truth
        return self._truths[name]

    def _decided(self, name: str) -> Truth:
        if name not in self._definitions:
            return Unknown(f"there is no condition {name}")
        before, self.deciding = self.deciding, True
        try:
            truth = self.truth(self._definitions[name])
        finally:
            self.deciding = before
        if isinstance(truth, Unknown):
            return Unknown(f"the condition {name} cannot be known: {truth.reason}")
        return truth

    def _seen(self, name: str, unknown: Unknown) -> Truth:
        """A deployed stack shows what its conditions were: the resources they guard are there or not."""
        context = self._values.context
        if not context.deployed:
            return unknown
        for logical_id, resource in self._values.resources.items():
            if isinstance(resource, Mapping) and resource.get("Condition") == name:
                return logical_id in context.physical_ids
        return unknown

    def truth(self, node: Json) -> Truth:
        """The truth of a condition's expression."""
        if isinstance(node, bool):
            return node
        if isinstance(node, str) and node.lower() in ("true", "false"):
            return node.lower() == "true"
        if not isinstance(node, Mapping) or len(node) != 1:
            return unknown_of(node, "this is not a condition")
        ((name, argument),) = node.items()
        if name == "Condition":
            return self.named(argument) if isinstance(argument, str) else Unknown("not a condition")
        if name == "Fn::Equals":
            return self._equals(argument)
        if name == "Fn::Not":
            items = argument if isinstance(argument, list) else [argument]
            inner = self.truth(items[0]) if len(items) == 1 else Unknown("Fn::Not takes one condition")
            return inner if isinstance(inner, Unknown) else not inner
        if name in ("Fn::And", "Fn::Or") and isinstance(argument, list):
            return _kleene([self.truth(item) for item in argument], decisive=name == "Fn::Or")
        if name in LOGIC:
            return Unknown(f"{name} takes a list of conditions")
        value = self._values.call(name, argument)
        known = isinstance(value, (bool, str))
        return self.truth(value) if known else unknown_of(value, f"{name} is no condition")

    def _equals(self, argument: Json) -> Truth:
        """``Fn::Equals`` compares as strings: the number 1 equals the text ``1``."""
        if not (isinstance(argument, list) and len(argument) == 2):
            return Unknown("Fn::Equals takes two values")
        left, right = (_comparable(self._values.value(item)) for item in argument)
        for one, other in ((left, right), (right, left)):
            if isinstance(one, Partial) and isinstance(other, str) and not one.matches(other):
                return False
        hole = first_hole([left, right])
        if hole is not None:
            return Unknown(hole.reason)
        if self._values.context.masked and may_be_equal(left, right):
            return Unknown("characters that CloudFormation shows as ? may differ")
        if "{{resolve:" in str(left) + str(right):
            return Unknown("a condition cannot see through a dynamic reference")
        return bool(left == right)


def _comparable(value: Json) -> Json:
    """The form in which ``Fn::Equals`` compares: every scalar as text."""
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    return (
        {key: _comparable(item) for key, item in value.items()}
        if isinstance(value, Mapping)
        else as_text(value)
    )


def _kleene(truths: list[Truth], *, decisive: bool) -> Truth:
    """And (``decisive`` false) or or (true) of truths: the decisive one wins over what is unknown."""
    if any(truth is decisive for truth in truths):
        return decisive
    return next((truth for truth in truths if isinstance(truth, Unknown)), not decisive)
