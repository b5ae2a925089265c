"""Every path of an expression, checked on the registry schemas before anything is judged.

JMESPath answers null for a misspelt property, and a policy that asks for null never finds a fault: so a
property that the schema does not know is an error when the policy loads.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from driftguard.rules.facts import account_schema
from driftguard.rules.functions import FUNCTIONS
from driftguard.rules.relations import ACCOUNT
from driftguard.schema import registry

Tree = Mapping[str, Any]


class PropertyNode(Protocol):
    """What is asked of a place in a schema."""

    def child(self, name: str) -> Any: ...

    @property
    def items(self) -> Any: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def free_form(self) -> bool: ...

    def is_a(self, name: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Problem:
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a value: its places in the schemas, or nothing (None means that anything goes)."""

    nodes: tuple[PropertyNode, ...] | None = None
    root: bool = False
    listed: bool = False
    """The value is a list of what ``nodes`` describe."""


ANYTHING = State()


def schema_of(type_name: str) -> Any:
    """The schema of a type, `AWS::::Account` included; None for an unknown type."""
    return account_schema() if type_name == ACCOUNT else registry().get(type_name)


class PathChecker:
    """Walks one expression with the schemas of the types that it will be judged on."""

    def __init__(self, types: Sequence[str]) -> None:
        schemas = [schema for schema in map(schema_of, types) if schema is not None]
        self._root = State(tuple(schema.root for schema in schemas) or None, root=True)
        self.problems: list[Problem] = []
        self.makes_holes = False
        self._reads: set[str] = set()
        self._whole = False

    @property
    def reads(self) -> frozenset[str] | None:
        return None if self._whole else frozenset(self._reads)

    def check(self, tree: Tree) -> None:
        self._walk(tree, self._root)

    def _walk(self, node: Tree, state: State) -> State:
        method = getattr(self, f"_{node['type']}", None)
        if method is not None:
            found: State = method(node, state)
            return found
        for child in node.get("children", ()):
            if isinstance(child, dict):
                self._walk(child, state)
        return ANYTHING

    def _field(self, node: Tree, state: State) -> State:
        name = node["value"]
        if state.root:
            self._reads.add(name)
        if state.nodes is None:
            return ANYTHING
        if state.listed:
            self._problem(f"`{name}` is asked of a list.", "Write `[]` or `[0]` before it.")
            return ANYTHING
        below = [found for found in (one.child(name) for one in state.nodes) if found is not None]
        if below:
            return State(tuple(below))
        if not any(one.free_form for one in state.nodes):
            self._unknown(name, state.nodes)
        return ANYTHING

    def _unknown(self, name: str, nodes: tuple[PropertyNode, ...]) -> None:
        if all(one.is_a("array") for one in nodes):
            self._problem(f"`{name}` is asked of a list.", "Write `[]` or `[0]` before it.")
            return
        known = sorted({known for one in nodes for known in one.names})
        if not known:
            self._problem(f"`{name}` is asked of a value that has no properties.")
            return
        folded = {one.lower(): one for one in known}
        near = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
        fix = f"Did you mean `{folded[near[0]]}`?" if near else f"Known here: {', '.join(known[:12])}."
        self._problem(f"the resource type has no property `{name}`.", fix)

    def _problem(self, message: str, fix: str = "") -> None:
        self.problems.append(Problem(message, fix))

    def _identity(self, _node: Tree, state: State) -> State:
        if state.root:
            self._whole = True
        return state

    _current = _identity

    def _subexpression(self, node: Tree, state: State) -> State:
        for number, child in enumerate(node["children"]):
            if number == 0 and child["type"] in ("identity", "current"):
                continue
            state = self._walk(child, state)
        return state

    _index_expression = _subexpression
    _pipe = _subexpression

    def _index(self, _node: Tree, state: State) -> State:
        return _element(state)

    def _slice(self, _node: Tree, state: State) -> State:
        return state

    def _flatten(self, node: Tree, state: State) -> State:
        state = self._walk(node["children"][0], state)
        inner = _element(state)
        nested = inner.nodes is not None and all(one.is_a("array") for one in inner.nodes)
        return inner if nested else State(inner.nodes, listed=inner.nodes is not None)

    def _projection(self, node: Tree, state: State) -> State:
        base = self._walk(node["children"][0], state)
        result = self._walk(node["children"][1], _element(base))
        return State(result.nodes, listed=result.nodes is not None)

    def _filter_projection(self, node: Tree, state: State) -> State:
        base, then, condition = node["children"]
        inner = _element(self._walk(base, state))
        self._walk(condition, inner)
        result = self._walk(then, inner)
        return State(result.nodes, listed=result.nodes is not None)

    def _value_projection(self, node: Tree, state: State) -> State:
        base = self._walk(node["children"][0], state)
        if base.root:
            self._whole = True
        values = [getattr(one, "values", None) for one in base.nodes or ()]
        below = tuple(one for one in values if one is not None)
        result = self._walk(node["children"][1], State(below or None))
        return State(result.nodes, listed=result.nodes is not None)

    def _or_expression(self, node: Tree, state: State) -> State:
        left, right = (self._walk(child, state) for child in node["children"])
        if left.nodes is None or right.nodes is None or left.listed != right.listed:
            return ANYTHING
        return State(left.nodes + right.nodes, listed=left.listed)

    def _function_expression(self, node: Tree, state: State) -> State:
        name, children = node["value"], node["children"]
        function = FUNCTIONS.get(name)
        if function is not None and function.makes_holes:
            self.makes_holes = True
        if name == "root" and children and children[0]["type"] == "expref":
            return self._walk(children[0]["children"][0], self._root)
        states = [self._walk(child, state) for child in children if child["type"] != "expref"]
        inner = _element(states[0]) if states else ANYTHING
        for child in children:
            if child["type"] == "expref":
                self._walk(child["children"][0], inner)
        if name in ("related", "resource_of", "resources"):
            return self._relation(name, children)
        if name == "account":
            self._account(children)
        return _result(name, states)

    def _relation(self, name: str, children: Sequence[Tree]) -> State:
        type_name = children[0].get("value") if children else None
        schema = schema_of(type_name) if isinstance(type_name, str) else None
        if schema is None:
            self._problem(f"there is no resource type {type_name}.", near_type(str(type_name)))
            return ANYTHING
        if name == "related" and len(children) > 1:
            nodes: tuple[Any, ...] = (schema.root,)
            for step in str(children[1].get("value")).split("/"):
                nodes = tuple(one.items if one.is_a("array") and one.items else one for one in nodes)
                below = tuple(found for found in (one.child(step) for one in nodes) if found is not None)
                if not below and not any(one.free_form for one in nodes):
                    self._unknown(step, nodes)
                    break
                nodes = below
        return State((schema.root,), listed=name != "resource_of")

    def _account(self, children: Sequence[Tree]) -> None:
        fact = children[0].get("value") if children else None
        if fact not in account_schema().root.names:
            near = difflib.get_close_matches(str(fact), account_schema().root.names, n=1)
            fix = f"Did you mean `{near[0]}`?" if near else "`driftguard policies show` lists the facts."
            self._problem(f"there is no account fact `{fact}`.", fix)


def _element(state: State) -> State:
    """One member of a list; what is no list in the schema is taken for its own member."""
    if state.nodes is None or state.listed:
        return State(state.nodes)
    found = tuple(
        node for one in state.nodes for node in [one.items if one.is_a("array") else one] if node is not None
    )
    return State(found or None)


def _result(name: str, states: Sequence[State]) -> State:
    if name in ("as_list", "sort", "reverse", "sort_by", "to_array") and states:
        inner = _element(states[0])
        return State(inner.nodes, listed=inner.nodes is not None)
    if name in ("max_by", "min_by") and states:
        return _element(states[0])
    return ANYTHING


def near_type(name: str) -> str:
    """What to write in place of a resource type that there is not."""
    near = difflib.get_close_matches(name, registry().types(), n=1, cutoff=0.7)
    return f"Did you mean {near[0]}?" if near else "Type names are those of the CloudFormation registry."


def check_pointer(pointer: str, types: Sequence[str]) -> Problem | None:
    """The problem of the pointer that says where a fault is, or None."""
    if pointer in ("", "/"):
        return None
    schemas = [schema for schema in map(schema_of, types) if schema is not None]
    if not schemas or any(schema.known(pointer) for schema in schemas):
        return None
    near = next((found for found in (schema.suggestion(pointer) for schema in schemas) if found), None)
    return Problem(f"no resource type of the policy has {pointer}.", f"Did you mean {near}?" if near else "")
