"""What a comparison is told beside the two states, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from driftguard.model import (
    DriftStatus,
    Fold,
    NotChecked,
    PropertyDifference,
    UndeclaredValue,
)
from driftguard.model.resource import Tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareContext:
    """Facts about the surroundings.  All may be missing; a missing fact makes a form unprovable, never equal.

    ``kms_aliases`` maps ``alias/name`` to a key id or ARN; ``role_ids`` maps the ARN of a role or user to its
    unique id (``AROA...``, ``AIDA...``); ``oai_ids`` maps an origin access identity to its canonical user id.
    ``coverage`` names the top-level properties that the live source can show (`None`: all of them).
    """

    account_id: str = ""
    region: str = ""
    partition: str = "aws"
    kms_aliases: Mapping[str, str] = field(default_factory=dict)
    role_ids: Mapping[str, str] = field(default_factory=dict)
    oai_ids: Mapping[str, str] = field(default_factory=dict)
    stack_tags: Mapping[str, str] = field(default_factory=dict)
    stack_name: str = ""
    logical_id: str = ""
    physical_id: str = ""
    coverage: frozenset[str] | None = None
    tolerated: tuple[Tolerance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The answer: IN_SYNC, MODIFIED, or NOT_CHECKED when nothing that is declared could be compared."""

    status: DriftStatus
    differences: tuple[PropertyDifference, ...] = ()
    undeclared: tuple[UndeclaredValue, ...] = ()
    reordered: tuple[str, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    folded: tuple[Fold, ...] = ()


@dataclass(slots=True)
class Trail:
    """What a walk has found so far; a trial walk has one of its own, which is merged when it is taken."""

    differences: list[PropertyDifference] = field(default_factory=list)
    undeclared: list[UndeclaredValue] = field(default_factory=list)
    reordered: list[str] = field(default_factory=list)
    not_checked: list[NotChecked] = field(default_factory=list)
    folded: list[Fold] = field(default_factory=list)

    def take(self, other: Trail) -> None:
        self.differences += other.differences
        self.undeclared += other.undeclared
        self.reordered += other.reordered
        self.not_checked += other.not_checked
        self.folded += other.folded
