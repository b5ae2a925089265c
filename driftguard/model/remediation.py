"""Remediation as data: what would be done, who approved it, what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from driftguard.model.finding import Severity
from driftguard.model.resource import Json, ResourceKey


class Cure(StrEnum):
    """The three cures of drift, and the one of a policy fault."""

    REVERT = "REVERT"
    ADOPT = "ADOPT"
    ACCEPT = "ACCEPT"
    FIX = "FIX"


class ActionKind(StrEnum):
    SSM_AUTOMATION = "SSM_AUTOMATION"
    REVERT_DRIFT = "REVERT_DRIFT"
    TEMPLATE_PATCH = "TEMPLATE_PATCH"
    WAIVER = "WAIVER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One value that a step is expected to change."""

    path: str
    before: Json
    after: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One action on one resource, complete: nothing is decided after this."""

    id: str
    finding: str
    title: str
    key: ResourceKey
    severity: Severity
    cure: Cure
    action: ActionKind
    target: str
    """The SSM document, the stack, or the template file."""
    parameters: Mapping[str, Json] = field(default_factory=dict)
    expected: tuple[Change, ...] = ()
    saved: Mapping[str, Json] = field(default_factory=dict)
    """The state before, for the rollback."""
    state_hash: str = ""
    """The state that the plan was made from; another one is refused."""
    rollback: Mapping[str, Json] | None = None
    verify: str = ""
    deletes: bool = False
    why_safe: str = ""
    why_this_cure: str = ""
    findings: tuple[str, ...] = ()
    """Every finding that this step answers, ``finding`` included."""
    message: str = ""
    """What is wrong, in a sentence."""
    mind: str = ""
    """What the step may disturb, as a sentence; empty when nothing is known."""
    changed_by: str = ""
    """Who made the fault, by which call and when, in a few words; empty when it is not known."""
    stack: str = ""
    stack_id: str = ""
    logical_id: str = ""
    policy: str = ""
    """The policy that the step fulfils; empty for drift."""
    also: tuple[str, ...] = ()
    """Further policies that the resource meets once the step is done; each is judged after it."""
    secret: bool = False
    """A value concerned is secret: it is not in the plan, and there is nothing to roll back to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    approver: str
    at: datetime
    reason: str
    digest: str
    ticket: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person can type behind `remediate plan` for a finding, and what that means in a few words."""

    flag: str
    means: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A finding that a plan leaves alone: what it is, where, and which guard says why."""

    finding: str
    title: str
    place: str
    guard: str
    why: str
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Steps in order, and the digest of them all.  What is approved is exactly this."""

    id: str
    created_at: datetime
    expires_at: datetime
    author: str
    digest: str
    steps: tuple[Step, ...]
    left: tuple[Refusal, ...] = ()
    """The findings that no step answers."""
    approvals: tuple[Approval, ...] = ()
    rollout: str = "OneAtATime"
    required_approvals: int = 1
    alarms: tuple[str, ...] = ()
    """CloudWatch alarms that stop the rollout, looked at in every account and region of the plan."""
    max_errors: int = 0
    """How many steps may fail before nothing more is started."""

    @property
    def refused(self) -> tuple[tuple[str, str], ...]:
        """(finding, why no step answers it), as sentences."""
        return tuple(
            (one.finding, f"{one.title} [{one.place}]: {one.why} ({one.guard})") for one in self.left
        )


class ExecutionStatus(StrEnum):
    PENDING = "PENDING"
    STARTED = "STARTED"
    VERIFIED = "VERIFIED"
    RAN_NOT_FIXED = "RAN_NOT_FIXED"
    FAILED = "FAILED"
    ROLLING_BACK = "ROLLING_BACK"
    """It did not help and is being put back; after a crash the next run takes this up."""
    ROLLED_BACK = "ROLLED_BACK"
    REFUSED = "REFUSED"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One started step.  ``token`` is the client token: the same step never starts twice."""

    plan: str
    step: str
    token: str
    status: ExecutionStatus
    started_at: datetime | None = None
    finished_at: datetime | None = None
    execution_id: str = ""
    detail: str = ""
    state_hash: str = ""
    """The resource's state as the step left it; empty until it was read again."""
