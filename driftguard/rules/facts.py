"""The facts of an account, as the schema of the pseudo type ``AWS::::Account``.

``data/account_facts.yaml`` lists them: what each means, its type, and the API call that gives it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from driftguard.rules.policy import Policy

FILE = Path(__file__).parent / "data" / "account_facts.yaml"


class FactNode:
    """A place in the facts; it answers like a node of a registry schema."""

    def __init__(self, spec: Any) -> None:
        spec = {"type": spec} if isinstance(spec, str) else spec
        self._type: str = spec.get("type", "object" if "properties" in spec else "string")
        self._properties: dict[str, Any] = spec.get("properties", {})
        self._items = spec.get("items")

    def child(self, name: str) -> FactNode | None:
        spec = self._properties.get(name)
        return None if spec is None else FactNode(spec)

    @property
    def items(self) -> FactNode | None:
        return None if self._items is None else FactNode(self._items)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._properties))

    @property
    def free_form(self) -> bool:
        return self._type == "map"

    def is_a(self, name: str) -> bool:
        return self._type == name


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One fact: ``calls`` are the API calls (service:Operation) that give it, ``scope`` account or region."""

    name: str
    description: str
    calls: tuple[str, ...]
    scope: str


class AccountSchema:
    """The schema of `AWS::::Account`."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.root = FactNode({"type": "object", "properties": document["facts"]})
        self.facts = {
            name: Fact(
                name=name,
                description=spec["description"],
                calls=tuple(spec["calls"]),
                scope=spec.get("scope", "account"),
            )
            for name, spec in document["facts"].items()
        }
        self.write_only: frozenset[tuple[str, ...]] = frozenset()

    def known(self, pointer: str) -> bool:
        node: FactNode | None = self.root
        for part in pointer.split("/")[1:]:
            if node is None or node.free_form:
                return node is not None
            node = node.items if part in ("*",) or part.isdigit() else node.child(part)
        return node is not None

    def suggestion(self, pointer: str) -> str | None:
        first = pointer.split("/")[1]
        near = difflib.get_close_matches(first, self.root.names, n=1)
        return f"/{near[0]}" if near else None


@cache
def account_schema() -> AccountSchema:
    """The packaged facts."""
    return AccountSchema(yaml.load(FILE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


_ASKED = re.compile(r"account\('(\w+)'\)")


def facts_of(policies: Iterable[Policy]) -> frozenset[str]:
    """The facts that the policies need, so that no other one has to be read."""
    known = frozenset(account_schema().facts)
    found: set[str] = set()
    for policy in policies:
        if "AWS::::Account" in policy.resource_types:
            found |= known if policy.reads is None else policy.reads & known
        for expression in (policy.asserts, policy.applies_when):
            if expression is not None:
                found.update(_ASKED.findall(expression.text))
    return frozenset(found)
