"""Guards: each refuses for one reason, before the first call.

`PLANNED` look at a step while the plan is made and are pure; `STARTED` look again at the moment of the start,
with what AWS says then.  A guard answers a sentence when it refuses, and an empty text when it does not.
"""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from driftguard.model import Json, Resource
from driftguard.model.remediation import ActionKind, Approval, Cure, Plan, Step
from driftguard.model.resource import Tolerance
from driftguard.remediation.material import Case, Material
from driftguard.remediation.seal import digest_of
from driftguard.remediation.values import ABSENT
from driftguard.remediation.values import at as value_at
from driftguard.schema import registry
from driftguard.settings.remediation import RemediationSettings

_CHANGING = (ActionKind.SSM_AUTOMATION, ActionKind.REVERT_DRIFT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A step in the making."""

    step: Step
    case: Case
    material: Material
    settings: RemediationSettings
    allow_deletes: bool = False
    earlier: Sequence[Step] = ()

    @property
    def changes(self) -> bool:
        """Whether the step changes something in AWS."""
        return self.step.action in _CHANGING


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
    approvals: tuple[Approval, ...] = ()

    @property
    def changes(self) -> bool:
        return self.step.action in _CHANGING


# -- guards of the whole plan


def approved(plan: Plan, settings: RemediationSettings) -> str:
    """Enough people approved exactly this plan."""
    valid = {one.approver for one in plan.approvals if one.digest == plan.digest}
    if not settings.author_may_approve:
        valid.discard(plan.author)
    wanted = max(plan.required_approvals, settings.required_approvals)
    if len(valid) >= wanted:
        return ""
    other = "" if settings.author_may_approve else f", none of them its author {plan.author}"
    return f"the plan needs {wanted} approval{'s' if wanted > 1 else ''}{other}, and has {len(valid)}."


def unchanged(plan: Plan) -> str:
    """The plan still is what its digest says."""
    return "" if digest_of(plan) == plan.digest else "the plan was changed after it was made."


def in_time(plan: Plan, now: datetime) -> str:
    """The plan has not expired."""
    if now <= plan.expires_at:
        return ""
    return f"the plan expired at {plan.expires_at:%Y-%m-%d %H:%M} UTC."


# -- guards of a step while planning


def protected(at: Planned) -> str:
    """A protected tag, account or type."""
    key, settings = at.step.key, at.settings
    if not at.changes:
        return ""
    if key.account in settings.protected_accounts:
        return f"account {key.account} is protected by the settings."
    for pattern in settings.protected_types:
        if fnmatch.fnmatchcase(key.type, pattern):
            return f"{key.type} is protected by the settings."
    tags = at.case.live.tags if at.case.live is not None else {}
    for pair in settings.protected_tags:
        name, _, value = pair.partition("=")
        if name in tags and fnmatch.fnmatchcase(tags[name], value or "*"):
            return f"the resource carries the protecting tag {name}={tags[name]}."
    return ""


def would_replace(at: Planned) -> str:
    """A create-only property: the change would replace the resource."""
    if not at.changes or (at.step.action is ActionKind.REVERT_DRIFT and at.case.live is None):
        return ""
    schema = registry().get(at.step.key.type)
    places = [change.path for change in at.step.expected]
    if at.case.drift is not None and at.step.cure is Cure.REVERT:
        replaced = [one.path for one in at.case.drift.differences if one.requires_replacement]
        if replaced:
            return f"{replaced[0]} cannot be changed in place: the resource would be replaced."
    for place in places:
        if schema is not None and place and schema.is_create_only(tuple(place.split("/")[1:])):
            return f"{place} cannot be changed in place: the resource would be replaced."
    return ""


def owned_elsewhere(at: Planned) -> str:
    """A value that autoscaling or a deployment moves.  Outside its owner's range somebody else set it."""
    declared = at.case.declared
    if declared is None or not at.changes:
        return ""
    for change in at.step.expected:
        for tolerance in declared.tolerated:
            if _touches(change.path, tolerance.path) and _within(tolerance, change.before):
                return f"{change.path} is moved by {tolerance.owner}, which would undo the change or be undone by it."
    return ""


def _within(tolerance: Tolerance, value: Json) -> bool:
    if tolerance.allowed is not None:
        return value in tolerance.allowed
    try:
        number = float(value)
    except (TypeError, ValueError):
        return True
    low, high = tolerance.minimum, tolerance.maximum
    return (low is None or number >= low) and (high is None or number <= high)


_ATTACHED = {
    "AWS::EC2::SecurityGroupIngress": ("AWS::EC2::SecurityGroup", "/SecurityGroupIngress"),
    "AWS::EC2::SecurityGroupEgress": ("AWS::EC2::SecurityGroup", "/SecurityGroupEgress"),
    "AWS::IAM::ManagedPolicy": ("AWS::IAM::", "/ManagedPolicyArns"),
    "AWS::IAM::Policy": ("AWS::IAM::", "/Policies"),
    "AWS::IAM::RolePolicy": ("AWS::IAM::Role", "/Policies"),
    "AWS::IAM::UserPolicy": ("AWS::IAM::User", "/Policies"),
    "AWS::IAM::GroupPolicy": ("AWS::IAM::Group", "/Policies"),
    "AWS::AutoScaling::LifecycleHook": (
        "AWS::AutoScaling::AutoScalingGroup",
        "/LifecycleHookSpecificationList",
    ),
}
"""Types that write into another resource -> that resource's type and the property they write into."""


def attached_elsewhere(at: Planned) -> str:
    """Another stack attaches members to the list that would be written."""
    declared = at.case.declared
    if declared is None or at.step.action is not ActionKind.SSM_AUTOMATION:
        return ""
    names = {declared.physical_id, declared.identifier} - {None, ""}
    for other in at.material.declared.values():
        kind, place = _ATTACHED.get(other.type, ("", ""))
        if not kind or other.stack_id == declared.stack_id or not at.step.key.type.startswith(kind):
            continue
        if any(_touches(change.path, place) for change in at.step.expected) and _mentions(
            other.properties, names
        ):
            return (
                f"stack {other.stack_name} ({other.logical_id}) attaches members to {place} of this resource."
            )
    return ""


def template_undoes(at: Planned) -> str:
    """A template declares the value otherwise, so that the next deployment would undo a fix in AWS."""
    declared = at.case.declared
    if declared is None or at.step.cure is not Cure.FIX or not at.changes:
        return ""
    for change in at.step.expected:
        if value_at(declared.properties, change.path) not in (ABSENT, change.after):
            return f"stack {declared.stack_name} declares {change.path} otherwise and would undo the change."
    return ""


def stack_busy(at: Planned) -> str:
    """The stack is being changed right now, or is in a state that nothing should be built on."""
    stack = at.case.stack
    return "" if stack is None or not at.changes else _busy(stack.name, stack.status)


def document_allowed(at: Planned) -> str:
    """The document is on the allow-list."""
    if at.step.action is not ActionKind.SSM_AUTOMATION:
        return ""
    if any(fnmatch.fnmatchcase(at.step.target, pattern) for pattern in at.settings.documents):
        return ""
    return f"the document {at.step.target} is not on the allow-list `remediation.documents`."


def deletes_named(at: Planned) -> str:
    """A step that deletes something needs an explicit word."""
    if not at.step.deletes or at.allow_deletes or at.settings.allow_deletes:
        return ""
    return "it deletes or revokes something, and deletions were not allowed explicitly (`--allow-deletes`)."


def flapping(at: Planned) -> str:
    """The same fault keeps coming back: somebody, or something, puts it there."""
    found = next((one for one in at.case.findings if one.flapping), None)
    if found is None or not at.changes:
        return ""
    who = at.case.drift.changed_by if at.case.drift is not None else found.changed_by
    by = f"; {who.principal} keeps changing it ({who.source}, {who.event})" if who is not None else ""
    return f"it was opened {found.occurrences} times within a week{by}. Stop that first, or accept it."


def not_too_many(at: Planned) -> str:
    """At most N steps of a run, an account and a type, and at most P % of an account's resources of a type."""
    if not at.changes:
        return ""
    earlier = [step for step in at.earlier if step.action in _CHANGING]
    key, settings = at.step.key, at.settings
    in_account = sum(step.key.account == key.account for step in earlier)
    of_type = sum(step.key.type == key.type for step in earlier)
    same = sum((step.key.type, step.key.account) == (key.type, key.account) for step in earlier)
    if len(earlier) >= settings.max_per_run:
        return f"the plan holds {settings.max_per_run} steps already, the most for one run."
    if in_account >= settings.max_per_account:
        return (
            f"the plan holds {in_account} steps in account {key.account} already, the most for one account."
        )
    if of_type >= settings.max_per_type:
        return f"the plan holds {of_type} steps on {key.type} already, the most for one type."
    total = at.material.inventory.get((key.account, key.type), 0)
    if total > 10 and (same + 1) * 100 > settings.max_percent_of_type * total:
        return f"it would touch more than {settings.max_percent_of_type:g} % of the {total} {key.type} of the account."
    return ""


def readable_value(at: Planned) -> str:
    """A secret never stands in a plan."""
    if at.step.action is ActionKind.WAIVER:
        return ""
    for change in at.step.expected:
        for value in (change.before, change.after):
            if at.material.secret(at.step.key.type, change.path, value):
                if at.step.action is ActionKind.REVERT_DRIFT:
                    return ""  # shown redacted; CloudFormation puts it back without us
                return f"{change.path} holds a secret, which a plan must not show."
    return ""


Guard = tuple[str, Callable[[Planned], str]]
PLANNED: tuple[Guard, ...] = (
    ("protected", protected),
    ("flapping", flapping),
    ("stack-in-progress", stack_busy),
    ("owned-elsewhere", owned_elsewhere),
    ("would-replace", would_replace),
    ("attached-elsewhere", attached_elsewhere),
    ("template-would-undo", template_undoes),
    ("secret", readable_value),
    ("document-not-allowed", document_allowed),
    ("deletes", deletes_named),
    ("too-many", not_too_many),
)


# -- guards at the moment of the start


def frozen(at: Starting) -> str:
    """A freeze window of the settings."""
    for window in at.settings.freezes if at.changes else ():
        if window.start <= at.now <= window.end:
            return f"nothing is changed until {window.end:%Y-%m-%d %H:%M %Z}: {window.reason}."
    return ""


def calendar_open(at: Starting) -> str:
    """A Systems Manager Change Calendar that is closed, or that could not be asked."""
    for name, state in at.calendars.items() if at.changes else ():
        if state != "OPEN":
            return f"the change calendar {name} is {state if state == 'CLOSED' else f'unreadable ({state})'}."
    return ""


def not_moved(at: Starting) -> str:
    """The resource is exactly as it was when the plan was made."""
    if at.step.action is ActionKind.WAIVER:
        return ""
    if at.live is None:
        return "" if not at.step.state_hash else "the resource does not exist any more."
    if not at.step.state_hash:
        return "the resource was gone when the plan was made, and exists now."
    if at.live.state_hash != at.step.state_hash:
        return "the resource was changed since the plan was made."
    return ""


def still_unprotected(at: Starting) -> str:
    """A protecting tag that was set since."""
    tags = at.live.tags if at.live is not None and at.changes else {}
    for pair in at.settings.protected_tags:
        name, _, value = pair.partition("=")
        if name in tags and fnmatch.fnmatchcase(tags[name], value or "*"):
            return f"the resource carries the protecting tag {name}={tags[name]}."
    if at.changes and at.step.key.account in at.settings.protected_accounts:
        return f"account {at.step.key.account} is protected by the settings."
    return ""


def stack_idle(at: Starting) -> str:
    """The stack is being changed right now."""
    return _busy(at.step.stack, at.stack_status) if at.changes and at.stack_status else ""


def document_ready(at: Starting) -> str:
    """The document is there, is the one that the plan means, and takes these parameters."""
    if at.step.action is not ActionKind.SSM_AUTOMATION:
        return ""
    if not any(fnmatch.fnmatchcase(at.step.target, pattern) for pattern in at.settings.documents):
        return f"the document {at.step.target} is not on the allow-list `remediation.documents`."
    return at.document_problem


STARTED: tuple[tuple[str, Callable[[Starting], str]], ...] = (
    ("freeze", frozen),
    ("calendar", calendar_open),
    ("moved", not_moved),
    ("protected", still_unprotected),
    ("stack-in-progress", stack_idle),
    ("document", document_ready),
)


def plan_refusals(
    plan: Plan, settings: RemediationSettings, now: datetime, *, needs_approval: bool = True
) -> list[tuple[str, str]]:
    """(guard, why) of each guard that refuses the whole plan."""
    found = [("changed", unchanged(plan)), ("expired", in_time(plan, now))]
    if needs_approval:
        found.append(("not-approved", approved(plan, settings)))
    return [(name, why) for name, why in found if why]


def refusal(at: Starting) -> tuple[str, str] | None:
    """The first guard that refuses the start, and why."""
    return next(((name, why) for name, guard in STARTED if (why := guard(at))), None)


def planned_refusal(at: Planned) -> tuple[str, str] | None:
    """The first guard that refuses the step, and why."""
    return next(((name, why) for name, guard in PLANNED if (why := guard(at))), None)


def _busy(name: str, status: str) -> str:
    if status.endswith("_IN_PROGRESS"):
        return f"stack {name} is being changed right now ({status})."
    if status.endswith("_FAILED") or status in ("ROLLBACK_COMPLETE", "DELETE_COMPLETE"):
        return f"stack {name} is in the state {status}; put that right first."
    return ""


def _touches(one: str, other: str) -> bool:
    return one == other or one.startswith(other + "/") or other.startswith(one + "/")


def _mentions(value: object, names: Iterable[str | None]) -> bool:
    if isinstance(value, Mapping):
        return any(_mentions(child, names) for child in value.values())
    if isinstance(value, list | tuple):
        return any(_mentions(child, names) for child in value)
    return isinstance(value, str) and value in names


def counts_by_type(resources: Iterable[Resource]) -> Mapping[tuple[str, str], int]:
    """How many resources of each type an account has, for `not_too_many`."""
    return Counter((one.key.account, one.key.type) for one in resources)
