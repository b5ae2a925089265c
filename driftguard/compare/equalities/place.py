"""Where two values stand: what an equality rule may look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from driftguard.compare.context import CompareContext
from driftguard.compare.forms import Path, general
from driftguard.compare.tables import listed, row
from driftguard.model import Json
from driftguard.schema import Node, TypeSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A pair of unequal scalars: its path, its schema node, the objects that hold the two values."""

    path: Path
    node: Node | None
    schema: TypeSchema | None
    type_name: str
    context: CompareContext
    declared: Json
    """The nearest declared object around the value."""
    root: Mapping[str, Json]
    live_root: Mapping[str, Json]

    @property
    def name(self) -> str:
        """The nearest property name: that of the list, for a member of a list."""
        return next((part for part in reversed(self.path) if isinstance(part, str)), "")

    @property
    def general(self) -> tuple[str, ...]:
        return general(self.path)

    @property
    def in_schema(self) -> bool:
        """Whether the schema names this property (it is not a key of the user's)."""
        return self.node is not None and self.schema is not None and not self._below_map()

    @property
    def users_own(self) -> bool:
        """Whether the place is inside a map whose keys are the user's, as a function's environment is."""
        node = self.schema.root if self.schema else None
        for part in self.path:
            if node is None:
                return False
            if isinstance(part, str) and part not in node.names:
                return node.free_form
            node = node.items if isinstance(part, int) else node.child(part)
        return False

    def _below_map(self) -> bool:
        node = self.schema.root if self.schema else None
        for part in self.path:
            if node is None:
                return True
            if isinstance(part, int):
                node = node.items
                continue
            if part not in node.names:
                return True
            node = node.child(part)
        return False

    def listed(self, rule: str) -> bool:
        """Whether the table of ``rule`` names this property."""
        return listed(rule, self.type_name, self.general)

    @property
    def sentinel_row(self) -> Mapping[str, Json] | None:
        """The row of the word that AWS replaces at this property, if there is one."""
        return row("sentinel", self.type_name, self.general)


@dataclass(frozen=True, slots=True)
class Unverifiable:
    """The two may be the same, and nothing at hand can tell: not drift, and said so."""

    detail: str


Rule = Callable[[Json, Json, Place], "bool | Unverifiable"]
"""(declared, live, place) -> whether the live value is a form that means the declared one."""
