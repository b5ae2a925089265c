"""The words that every form of a plan shares."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator

from driftguard.model import Json
from driftguard.model.remediation import ActionKind, Cure, Step

WIDTH = 108
LONGEST = 300
CURES = {
    Cure.REVERT: "put AWS back to what the template says",
    Cure.ADOPT: "take the change into the template",
    Cure.ACCEPT: "accept it for a limited time",
    Cure.FIX: "make the resource meet the policy",
}


def counted(number: int, word: str) -> str:
    """``1 step``, ``2 steps``."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def brief(value: Json, longest: int = LONGEST) -> str:
    """A value on one line; a long one is cut, and its length said."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        value = value[0]
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    if len(shown) <= longest:
        return shown
    return f"{shown[: longest - 3]}... ({len(shown)} characters in the plan file)"


def wrapped(text: str, first: str, then: str) -> Iterator[str]:
    """``text`` in lines of the plan's width."""
    yield from textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def where(step: Step) -> str:
    place = f"account {step.key.account}, {step.key.region}"
    stack = f"; stack {step.stack}, {step.logical_id}" if step.stack else ""
    return f"{step.key.type} {step.key.identifier} ({place}{stack})"


def action(step: Step) -> str:
    """What is done, as the beginning of a sentence."""
    if step.action is ActionKind.SSM_AUTOMATION:
        hidden = ("AutomationAssumeRole", "PatchDocument", "DesiredState", "TypeName", "Identifier")
        given = ", ".join(
            f"{name}={brief(value)}" for name, value in step.parameters.items() if name not in hidden
        )
        return f"SSM Automation runs the document {step.target}{f' with {given}' if given else ''}:"
    if step.action is ActionKind.REVERT_DRIFT:
        names = ", ".join(step.parameters["LogicalResourceIds"])
        return f"a REVERT_DRIFT change set of stack {step.target} puts {names} back:"
    if step.action is ActionKind.TEMPLATE_PATCH:
        return (
            f"a patch for the template {step.target} is written, on the branch {step.parameters['Branch']}:"
        )
    days = step.parameters["ExpiresInDays"]
    owner = step.parameters.get("Owner") or "whoever applies the plan"
    return f"a waiver is recorded for {days} days; {owner} answers for it."


def rollback(step: Step) -> str:
    """How the step is taken back."""
    if step.action in (ActionKind.TEMPLATE_PATCH, ActionKind.WAIVER):
        return "nothing in AWS is changed; delete the patch, or `driftguard waivers --remove` the waiver."
    if step.action is ActionKind.REVERT_DRIFT:
        return "nothing: CloudFormation itself rolls back when the change set fails, and there is no other way back."
    if step.rollback is None:
        return "nothing: driftguard has no way back for it."
    count = len(step.saved)
    saved = f"the {counted(count, 'value')} saved in this plan" if count else "taking away what it adds"
    return f"{saved}, with {step.rollback['document']}: by itself when the step fails, or by `remediate rollback`."
