"""A plan in full: every step with what is wrong, what happens, why it is safe, and how it is taken back."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from driftguard.model.markup import visible
from driftguard.model.remediation import Change, Plan, Step
from driftguard.remediation.render.short import footer, head, left, look
from driftguard.remediation.render.words import WIDTH, action, brief, rollback, where


def text(plan: Plan) -> str:
    """The plan as plain text, each step with its reasons."""
    lines = [*head(plan), ""]
    if looks := list(look(plan)):
        lines += ["Look at these before you approve", *looks, ""]
    for number, step in enumerate(plan.steps, 1):
        lines += [*_step(number, len(plan.steps), step), ""]
    lines += [*left(plan.left), *footer(plan)]
    return visible("\n".join(lines)).rstrip() + "\n"


def _step(number: int, total: int, step: Step) -> Iterator[str]:
    yield f"Step {number} of {total}  [{step.severity}]  {step.cure}: {step.title}"
    yield f"  Resource       {where(step)}"
    yield from _wrapped("What is wrong", step.message)
    yield from _wrapped("What happens", action(step))
    for change in step.expected:
        yield from _change(change)
    if step.parameters.get("Diff"):
        yield from (f"      {line}" for line in str(step.parameters["Diff"]).splitlines())
    if step.deletes:
        yield from _wrapped("Mind", "This step deletes or revokes something.")
    yield from _wrapped("Why this cure", step.why_this_cure)
    yield from _wrapped("Why it is safe", step.why_safe)
    yield from _wrapped("Taken back by", rollback(step))
    yield from _wrapped("Checked after", step.verify)


def _change(change: Change) -> Iterator[str]:
    before, after = brief(change.before), brief(change.after)
    place = change.path or "the resource itself"
    one_line = f"      {place}:  {before}  ->  {after}"
    if len(one_line) <= WIDTH:
        yield one_line
        return
    yield f"      {place}:"
    yield from _indented(f"now    {before}")
    yield from _indented(f"after  {after}")


def _wrapped(name: str, said: str) -> Iterator[str]:
    lines = textwrap.wrap(said, WIDTH - 17, break_long_words=False, break_on_hyphens=False) or [""]
    yield f"  {name:<14} {lines[0]}"
    yield from (f"{'':17}{line}" for line in lines[1:])


def _indented(said: str) -> Iterator[str]:
    lines = textwrap.wrap(said, WIDTH - 8, break_long_words=False, break_on_hyphens=False)
    yield f"        {lines[0]}"
    yield from (f"               {line}" for line in lines[1:])
