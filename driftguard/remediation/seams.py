"""What a run needs from others: eyes to look again, hands to act, a ledger to remember, a clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from driftguard.model import Json, Resource, ResourceKey
from driftguard.model.remediation import Execution, Step


class Eyes(Protocol):
    """Looks at one resource again."""

    def read(self, key: ResourceKey) -> Resource | None:
        """The resource as it is now, ``None`` when it is gone.  Raises `AwsError`."""

    def judge(self, step: Step, live: Resource | None) -> tuple[bool | None, str]:
        """Whether the fault is gone (``None``: it cannot be told), and a sentence."""

    def accept(self, step: Step, live: Resource) -> None:
        """Remember what an approved step set, so that the next scan does not report it as somebody's change."""


class State(StrEnum):
    """How an action stands."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at a running action."""

    state: State
    detail: str = ""


class Hands(Protocol):
    """Acts in AWS.  Every method may raise `AwsError`."""

    def find(self, step: Step, token: str) -> str:
        """The id of what this token started, or an empty text."""

    def start(self, step: Step, token: str) -> str:
        """Start the step and answer its id; the same token never starts twice.  Raises `RefusedError`."""

    def undo(self, step: Step, token: str, operations: Sequence[Mapping[str, Json]]) -> str:
        """Start the rollback of a step: the patch from what is now to what was saved."""

    def look(self, step: Step, execution_id: str) -> Look:
        """How it stands."""

    def stop(self, step: Step, execution_id: str) -> None:
        """Cancel it."""

    def stack_status(self, step: Step) -> str:
        """The status of the step's stack; empty when it has none."""

    def calendars(self, step: Step) -> Mapping[str, str]:
        """Calendar name -> OPEN, CLOSED, or why it could not be asked."""

    def document_problem(self, step: Step) -> str:
        """What is wrong with the step's document or parameters, as a sentence."""

    def alarming(self, steps: Sequence[Step], names: Sequence[str]) -> str:
        """The first of the alarms that is in ALARM where the steps act; empty when none is."""


class Ledger(Protocol):
    """The part of the store that a run writes."""

    def put_execution(self, execution: Execution) -> bool: ...
    def update_execution(self, execution: Execution) -> None: ...
    def executions(self, plan_id: str) -> Sequence[Execution]: ...
    def audit(self, actor: str, action: str, subject: str, detail: Mapping[str, Json]) -> object: ...


class Switch(Protocol):
    """Says whether a run may go on."""

    def asked(self) -> str:
        """``""`` to go on, ``pause`` or ``abort``."""


class Desk(Protocol):
    """Does what needs no AWS: patches for templates, and waivers."""

    def do(self, step: Step) -> str:
        """Carry a step out; answers a sentence.  Raises `DriftguardError`."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The present instant, UTC."""

    def sleep(self, seconds: float) -> object:
        """Wait."""
