"""Guards at the moment of the start, with what AWS says then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from driftguard.model import Resource
from driftguard.model.remediation import ActionKind, Plan, Step
from driftguard.remediation.guards.common import CHANGING, allowed, busy, protecting_tag
from driftguard.settings.remediation import RemediationSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Starting:
    """A step that is about to start.  ``live`` is what was read this moment; ``None`` when it is gone."""

    plan: Plan
    step: Step
    settings: RemediationSettings
    now: datetime
    live: Resource | None = None
    stack_status: str = ""
    calendars: Mapping[str, str] = field(default_factory=dict)
    """Calendar name -> OPEN, CLOSED, or why it could not be asked."""
    document_problem: str = ""
    left: str = ""
    """The state in which an earlier step of the same plan left the resource."""

    @property
    def changes(self) -> bool:
        return self.step.action in CHANGING


def frozen(at: Starting) -> str:
    """A freeze window of the settings."""
    for window in at.settings.freezes if at.changes else ():
        if window.covers(at.now):
            return f"nothing is changed until {window.until}: {window.reason}."
    return ""


def calendar_open(at: Starting) -> str:
    """A Systems Manager Change Calendar that is closed, or that could not be asked."""
    for name, state in at.calendars.items() if at.changes else ():
        if state != "OPEN":
            return f"the change calendar {name} is {state if state == 'CLOSED' else f'unreadable ({state})'}."
    return ""


def not_moved(at: Starting) -> str:
    """The resource is exactly as it was when the plan was made, or as the plan's own last step left it."""
    if at.step.action is ActionKind.WAIVER:
        return ""
    if at.live is None:
        return "" if not at.step.state_hash else "the resource does not exist any more."
    if not at.step.state_hash:
        return "the resource was gone when the plan was made, and exists now."
    if at.live.state_hash != (at.left or at.step.state_hash):
        return "the resource was changed since the plan was made."
    return ""


def still_unprotected(at: Starting) -> str:
    """A protecting tag that was set since."""
    tags = at.live.tags if at.live is not None and at.changes else {}
    if said := protecting_tag(tags, at.settings):
        return said
    if at.changes and at.step.key.account in at.settings.protected_accounts:
        return f"account {at.step.key.account} is protected by the settings."
    return ""


def stack_idle(at: Starting) -> str:
    """The stack is being changed right now."""
    return busy(at.step.stack, at.stack_status) if at.changes and at.stack_status else ""


def document_ready(at: Starting) -> str:
    """The document is there, is the one that the plan means, and takes these parameters."""
    if at.step.action is not ActionKind.SSM_AUTOMATION:
        return ""
    return allowed(at.step.target, at.settings.documents) or at.document_problem


STARTED: tuple[tuple[str, Callable[[Starting], str]], ...] = (
    ("freeze", frozen),
    ("calendar", calendar_open),
    ("moved", not_moved),
    ("protected", still_unprotected),
    ("stack-in-progress", stack_idle),
    ("document", document_ready),
)


def refusal(at: Starting) -> tuple[str, str] | None:
    """The first guard that refuses the start, and why."""
    return next(((name, why) for name, guard in STARTED if (why := guard(at))), None)
