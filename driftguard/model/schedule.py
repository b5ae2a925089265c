"""The run ledger's vocabulary: slots, the units of work in them, and the lease on one unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from driftguard.model.resource import Json

EVENTS = "event"
"""The schedule to which the slots of events belong; its slots do not wait for each other."""


class SlotState(StrEnum):
    """What became of a slot."""

    DUE = "DUE"
    """It waits, or some of its units are under way."""
    DONE = "DONE"
    FAILED = "FAILED"
    """At least one unit was given up."""
    SKIPPED = "SKIPPED"
    """It was passed over, and ``reason`` says why: a newer slot took its place, a freeze, a missed night."""


class UnitState(StrEnum):
    """What became of one unit of a slot."""

    DUE = "DUE"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One time at which a schedule is to start.  ``key`` is unique within the schedule, for ever.

    ``due_at`` is the instant (jitter included); ``task`` says what is to be looked at.
    """

    schedule: str
    key: str
    due_at: datetime
    state: SlotState = SlotState.DUE
    reason: str = ""
    task: Mapping[str, Json] = field(default_factory=dict)
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What one worker takes at once.  An empty account or region means all of the slot's scope."""

    account: str = ""
    region: str = ""
    state: UnitState = UnitState.DUE
    owner: str = ""
    attempts: int = 0
    run_id: str = ""
    error: str = ""
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work on one unit.  A write that carries an old ``fence`` is refused."""

    schedule: str
    slot: str
    account: str
    region: str
    owner: str
    fence: int
    attempt: int
    due_at: datetime
    task: Mapping[str, Json] = field(default_factory=dict)

    def __str__(self) -> str:
        place = f" {self.account}/{self.region or '*'}" if self.account else ""
        return f"{self.schedule} {self.slot}{place}"
