"""Guards of a step while the plan is made.  Pure."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from driftguard.model import Json
from driftguard.model.remediation import ActionKind, Cure, Step
from driftguard.model.resource import Tolerance
from driftguard.remediation.guards.common import CHANGING, allowed, busy, mentions, protecting_tag
from driftguard.remediation.material import Case, Material
from driftguard.remediation.values import ABSENT
from driftguard.remediation.values import at as value_at
from driftguard.schema import registry
from driftguard.settings.remediation import RemediationSettings


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
        return self.step.action in CHANGING


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
    return protecting_tag(at.case.live.tags if at.case.live is not None else {}, settings)


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
        if any(_touches(change.path, place) for change in at.step.expected) and mentions(
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
    return "" if stack is None or not at.changes else busy(stack.name, stack.status)


def document_allowed(at: Planned) -> str:
    """The document is on the allow-list."""
    if at.step.action is not ActionKind.SSM_AUTOMATION:
        return ""
    return allowed(at.step.target, at.settings.documents)


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
    earlier = [step for step in at.earlier if step.action in CHANGING]
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
    for name, value in at.step.parameters.items():
        # The lines around a change of a template, for one.
        if at.material.secret("", f"/{name}", value):
            return f"{name} of the step would show a secret that stands beside what it changes."
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


def planned_refusal(at: Planned) -> tuple[str, str] | None:
    """The first guard that refuses the step, and why."""
    return next(((name, why) for name, guard in PLANNED if (why := guard(at))), None)


def _touches(one: str, other: str) -> bool:
    return one == other or one.startswith(other + "/") or other.startswith(one + "/")
