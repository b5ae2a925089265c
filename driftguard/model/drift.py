"""Drift: one resource compared with what is declared for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from driftguard.model.resource import Json, Location, ResourceKey


class DifferenceType(StrEnum):
    """CloudFormation's three words.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_PropertyDifference.html
    """

    ADD = "ADD"
    REMOVE = "REMOVE"
    NOT_EQUAL = "NOT_EQUAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyDifference:
    """One declared property that is different.  ``path`` is a JSON pointer (CloudFormation's PropertyPath).

    ``rule`` names the check that decided; ``requires_replacement`` says that the property is create-only,
    so that a revert would replace the resource.  ``location`` is where the template declares the property, and
    ``parameter`` the template's parameter that the whole value comes from, if it is one.
    """

    path: str
    expected: Json
    actual: Json
    type: DifferenceType
    rule: str = ""
    requires_replacement: bool = False
    location: Location | None = None
    parameter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndeclaredValue:
    """A live value that no template declares.

    ``confirmed`` means that a witness held another value (``was``, absent if ``was_absent``): drift.
    Unconfirmed is a note and never fails a run.
    """

    path: str
    value: Json
    confirmed: bool = False
    was: Json = None
    was_absent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NotChecked:
    """A declared value that was not compared, and why (a `GapReason` or a finer word of its own)."""

    path: str
    reason: str
    detail: str = ""


OTHERS_UNREAD = "OTHER_STACKS_NOT_READ"
"""Why a place was not checked in which stacks may have a say that this scan did not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """A difference in form that was proved to be none, and the rule that proved it."""

    path: str
    rule: str


class DriftStatus(StrEnum):
    """CloudFormation's StackResourceDriftStatus, and UNMANAGED for what no stack declares."""

    IN_SYNC = "IN_SYNC"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    NOT_CHECKED = "NOT_CHECKED"
    UNKNOWN = "UNKNOWN"
    UNSUPPORTED = "UNSUPPORTED"
    UNMANAGED = "UNMANAGED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedBy:
    """The CloudTrail event that made a change, as far as it could be told."""

    principal: str
    event: str
    time: datetime
    source: str
    """console, CLI, SDK, CloudFormation, the AWS service that acted, or the step of a plan of driftguard's."""
    session: str = ""
    event_id: str = ""
    confidence: str = "HIGH"
    """HIGH: the event names the resource and the property; MEDIUM: the resource; LOW: only the time fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The comparison of one resource.

    ``differences`` are declared drift; ``undeclared`` live-only values; ``reordered`` pointers to lists
    that differ in order alone.  ``native_status`` is CloudFormation's own verdict where it was asked for,
    and ``disagreement`` the reason why it differs from ours.  ``changed_by`` is who made the change that
    is best explained; ``acts`` who made each, by pointer without list indices (``""`` for the whole resource).
    """

    key: ResourceKey
    status: DriftStatus
    logical_id: str = ""
    physical_id: str = ""
    stack: str = ""
    stack_id: str = ""
    construct_path: str = ""
    location: Location | None = None
    differences: tuple[PropertyDifference, ...] = ()
    undeclared: tuple[UndeclaredValue, ...] = ()
    reordered: tuple[str, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    folded: tuple[Fold, ...] = ()
    native_status: str | None = None
    disagreement: str | None = None
    changed_by: ChangedBy | None = None
    acts: Mapping[str, ChangedBy] = field(default_factory=dict)
    first_seen: datetime | None = None
    last_seen: datetime | None = None

    @property
    def drifted(self) -> bool:
        """Whether this counts against the run: MODIFIED, DELETED, or an undeclared change with a witness."""
        return self.status in (DriftStatus.MODIFIED, DriftStatus.DELETED) or any(
            value.confirmed for value in self.undeclared
        )
