"""How a run ended, and whether a saved state is back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from driftguard.model import Json, Resource
from driftguard.model.remediation import ActionKind, Execution, ExecutionStatus, Step
from driftguard.remediation.parts import MARK
from driftguard.remediation.values import ABSENT, at, settings_patch

LOCAL = (ActionKind.TEMPLATE_PATCH, ActionKind.WAIVER)
OPEN = (ExecutionStatus.PENDING, ExecutionStatus.STARTED, ExecutionStatus.ROLLING_BACK)
FAULTY = (
    ExecutionStatus.FAILED,
    ExecutionStatus.RAN_NOT_FIXED,
    ExecutionStatus.ROLLING_BACK,
    ExecutionStatus.ROLLED_BACK,
)


@dataclass(slots=True)
class Running:
    """A step under way, and since when (seconds since 1970)."""

    step: Step
    execution: Execution
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended.  ``stopped`` says why not everything was started; ``paused`` that it may go on."""

    executions: tuple[Execution, ...]
    stopped: str = ""
    paused: bool = False

    @property
    def clean(self) -> bool:
        """Whether every step did what it was for."""
        return not self.paused and all(one.status is ExecutionStatus.VERIFIED for one in self.executions)


def before(step: Step) -> dict[str, Json]:
    """What the saved state says: each place that the step changes, `ABSENT` where there was nothing."""
    return {one.path: step.saved.get(one.path, ABSENT) for one in step.expected if one.path}


def properties_of(live: Resource | None) -> Mapping[str, Json]:
    return live.properties if live is not None else {}


def not_restored(step: Step, live: Resource | None) -> str:
    """The first place that is not as it was saved."""
    found = settings_patch(before(step), properties_of(live))
    return str(found[0]["path"]) if found else ""


def changed_since(step: Step, execution: Execution, live: Resource | None) -> str:
    """The first place of the step that is neither as the step left it nor as it was before."""
    if live is None or live.state_hash == execution.state_hash:
        return ""
    for change in step.expected:
        now = at(live.properties, change.path) if change.path else change.after
        known = (change.after, step.saved.get(change.path, ABSENT))
        if now not in known and not (now is ABSENT and change.after == MARK):
            return change.path
    return ""
