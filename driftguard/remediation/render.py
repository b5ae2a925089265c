"""A plan for people: what is wrong, what would happen, why it is safe, and how it is taken back."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from driftguard.model import Json
from driftguard.model.remediation import ActionKind, Change, Cure, Execution, Plan, Step

_WIDTH = 108
_LONGEST = 300
_CURES = {
    Cure.REVERT: "put AWS back to what the template says",
    Cure.ADOPT: "take the change into the template",
    Cure.ACCEPT: "accept it for a limited time",
    Cure.FIX: "make the resource meet the policy",
}


def text(plan: Plan) -> str:
    """The plan as plain text, for a terminal or a mail."""
    lines = [f"Remediation plan {plan.id}", *_head(plan), ""]
    for number, step in enumerate(plan.steps, 1):
        lines += [*_step(number, len(plan.steps), step), ""]
    if plan.refused:
        lines += ["Left alone, and why:", *(_bullet(why) for _, why in plan.refused), ""]
    lines.append(_next(plan))
    return "\n".join(lines).rstrip() + "\n"


def markdown(plan: Plan) -> str:
    """The plan as Markdown, for a ticket or a pull request."""
    lines = [f"# Remediation plan {plan.id}", "", *(f"- {line}" for line in _head(plan)), ""]
    for number, step in enumerate(plan.steps, 1):
        lines += [f"## Step {number}: {step.title}", "", f"**{step.severity}**, {_where(step)}", ""]
        lines += [f"- **What is wrong**: {step.message}", f"- **What happens**: {_action(step)}"]
        lines += [f"- **Why this cure**: {step.why_this_cure}", f"- **Why it is safe**: {step.why_safe}"]
        lines += [f"- **Taken back by**: {_rollback(step)}", f"- **Checked after**: {step.verify}", ""]
        if step.expected:
            lines += ["| Property | Now | After |", "|---|---|---|"]
            lines += [f"| `{c.path or '/'}` | {_cell(c.before)} | {_cell(c.after)} |" for c in step.expected]
            lines.append("")
        if step.parameters.get("Diff"):
            lines += ["```diff", str(step.parameters["Diff"]).rstrip(), "```", ""]
    if plan.refused:
        lines += ["## Left alone", "", *(f"- {why}" for _, why in plan.refused), ""]
    return "\n".join(lines)


def _head(plan: Plan) -> list[str]:
    cures = Counter(step.cure for step in plan.steps)
    accounts = sorted({step.key.account for step in plan.steps})
    changing = sum(step.action in (ActionKind.SSM_AUTOMATION, ActionKind.REVERT_DRIFT) for step in plan.steps)
    counted = ", ".join(f"{cures[cure]} x {cure} ({_CURES[cure]})" for cure in Cure if cures[cure])
    approvals = f"{plan.required_approvals} approval{'s' if plan.required_approvals > 1 else ''}"
    return [
        f"Made {plan.created_at:%Y-%m-%d %H:%M} UTC by {plan.author}; may be applied until "
        f"{plan.expires_at:%Y-%m-%d %H:%M} UTC, after {approvals}.",
        f"{len(plan.steps)} steps in account {', '.join(accounts) or '-'}: {counted or 'nothing to do'}.",
        f"{changing} of them change something in AWS. Rollout: {plan.rollout}; it stops after "
        f"{plan.max_errors} failed steps{_alarms(plan)}.",
        f"Nothing has been done. Digest: {plan.digest[:16]}",
    ]


def _alarms(plan: Plan) -> str:
    return f", and when {', '.join(plan.alarms)} raises an alarm" if plan.alarms else ""


def _step(number: int, total: int, step: Step) -> Iterator[str]:
    yield f"Step {number} of {total}  [{step.severity}]  {step.cure}: {step.title}"
    yield f"  Resource       {_where(step)}"
    yield from _wrapped("What is wrong", step.message)
    yield from _wrapped("What happens", _action(step))
    for change in step.expected:
        yield from _change(change)
    if step.parameters.get("Diff"):
        yield from (f"      {line}" for line in str(step.parameters["Diff"]).splitlines())
    if step.deletes:
        yield from _wrapped("Mind", "This step deletes or revokes something.")
    yield from _wrapped("Why this cure", step.why_this_cure)
    yield from _wrapped("Why it is safe", step.why_safe)
    yield from _wrapped("Taken back by", _rollback(step))
    yield from _wrapped("Checked after", step.verify)


def _where(step: Step) -> str:
    place = f"account {step.key.account}, {step.key.region}"
    stack = f"; stack {step.stack}, {step.logical_id}" if step.stack else ""
    return f"{step.key.type} {step.key.identifier} ({place}{stack})"


def _action(step: Step) -> str:
    if step.action is ActionKind.SSM_AUTOMATION:
        given = ", ".join(
            f"{name}={_brief(value)}"
            for name, value in step.parameters.items()
            if name not in ("AutomationAssumeRole", "PatchDocument", "TypeName", "Identifier")
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


def _rollback(step: Step) -> str:
    if step.action in (ActionKind.TEMPLATE_PATCH, ActionKind.WAIVER):
        return "nothing in AWS is changed; delete the patch, or `driftguard waivers --remove` the waiver."
    if step.rollback is None:
        return "nothing: CloudFormation itself rolls back when the change set fails, and there is no other way back."
    count = len(step.saved)
    saved = f"the {count} value{'s' if count != 1 else ''} saved in this plan"
    return f"{saved}, with {step.rollback['document']}: by itself when the step fails, or by `remediate rollback`."


def _change(change: Change) -> Iterator[str]:
    before, after = _brief(change.before), _brief(change.after)
    place = change.path or "the resource itself"
    one_line = f"      {place}:  {before}  ->  {after}"
    if len(one_line) <= _WIDTH:
        yield one_line
        return
    yield f"      {place}:"
    yield from _indented(f"now    {before}")
    yield from _indented(f"after  {after}")


def _brief(value: Json) -> str:
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        value = value[0]
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return (
        shown
        if len(shown) <= _LONGEST
        else f"{shown[: _LONGEST - 3]}... ({len(shown)} characters in the plan file)"
    )


def _cell(value: Json) -> str:
    return f"`{_brief(value)}`".replace("|", "\\|").replace("\n", " ")


def _wrapped(name: str, said: str) -> Iterator[str]:
    lines = textwrap.wrap(said, _WIDTH - 17, break_long_words=False, break_on_hyphens=False) or [""]
    yield f"  {name:<14} {lines[0]}"
    yield from (f"{'':17}{line}" for line in lines[1:])


def _indented(said: str) -> Iterator[str]:
    lines = textwrap.wrap(said, _WIDTH - 8, break_long_words=False, break_on_hyphens=False)
    yield f"        {lines[0]}"
    yield from (f"               {line}" for line in lines[1:])


def _bullet(said: str) -> str:
    return "\n".join(textwrap.wrap(said, _WIDTH, initial_indent="  - ", subsequent_indent="    "))


def _next(plan: Plan) -> str:
    if not plan.steps:
        return "Nothing to approve."
    return f"Approve it with `driftguard remediate approve {plan.id} --reason ...`, then `remediate apply {plan.id}`."


def outcome(plan: Plan, executions: Sequence[Execution]) -> str:
    """What came of a plan, step by step, as plain text."""
    known = {one.step: one for one in executions}
    counts = Counter(
        known[step.id].status.value if step.id in known else "NOT STARTED" for step in plan.steps
    )
    lines = [f"{plan.id}: " + (", ".join(f"{n} {name}" for name, n in sorted(counts.items())) or "no steps")]
    for step in plan.steps:
        one = known.get(step.id)
        status = one.status.value if one else "NOT STARTED"
        lines.append(f"  {step.id}  {status:<13}  {step.key.type} {step.key.identifier}: {step.title}")
        if one is not None and one.detail:
            lines += textwrap.wrap(one.detail, _WIDTH, initial_indent=" " * 12, subsequent_indent=" " * 12)
    return "\n".join(lines) + "\n"
