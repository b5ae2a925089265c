"""What came of a plan: every step, and every finding that still needs a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from driftguard.model.markup import visible
from driftguard.model.remediation import ActionKind, Execution, ExecutionStatus, Plan
from driftguard.remediation.render.short import left, name_of
from driftguard.remediation.render.words import wrapped

_INDENT = " " * 12


def outcome(plan: Plan, executions: Sequence[Execution]) -> str:
    """The result as plain text: what still needs somebody first, then every step."""
    known = {one.step: one for one in executions}
    lines = [f"{plan.id}: {counts(plan, known.values())}", ""]
    open_steps = [*_still_open(plan, known)]
    if open_steps:
        lines += ["Still open", *open_steps, ""]
    lines += left(plan.left)
    lines.append("Steps")
    for step in plan.steps:
        one = known.get(step.id)
        status = one.status.value if one else "NOT STARTED"
        lines += wrapped(
            f"{status:<13} {step.cure:<7} {name_of(step)}: {step.title}", f"  {step.id}  ", _INDENT
        )
        if one is not None and one.detail:
            lines += wrapped(one.detail, _INDENT, _INDENT)
    return visible("\n".join(lines)) + "\n"


def counts(plan: Plan, executions: Iterable[Execution]) -> str:
    """How many steps came to what."""
    counts = Counter(one.status.value for one in executions)
    missing = len(plan.steps) - sum(counts.values())
    if missing:
        counts["NOT STARTED"] = missing
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "no steps"


def _still_open(plan: Plan, known: Mapping[str, Execution]) -> Iterator[str]:
    """Steps whose findings the next scan shows again, and what each waits for."""
    for step in plan.steps:
        one = known.get(step.id)
        if one is None or one.status is not ExecutionStatus.VERIFIED:
            said = one.detail if one is not None else "It was not started yet; `remediate apply` goes on."
        elif step.action is ActionKind.TEMPLATE_PATCH:
            said = f"It waits for somebody to deploy the patch of {step.target}."
        else:
            continue
        yield from wrapped(f"{name_of(step)}: {said}", f"  {step.id}  ", _INDENT)
