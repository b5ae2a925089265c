"""A plan as Markdown, for a ticket or a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from driftguard.model.markup import block, cell, code
from driftguard.model.remediation import Plan, Step
from driftguard.remediation.render.short import name_of
from driftguard.remediation.render.summary import by_reason, look_first, summary
from driftguard.remediation.render.words import action, brief, counted, rollback, where


def markdown(plan: Plan) -> str:
    """The summary as tables, then every step in full."""
    lines = [f"# Remediation plan {plan.id}", "", *_head(plan)]
    for number, step in enumerate(plan.steps, 1):
        lines += _step(number, step)
    if plan.left:
        lines += ["## Left to a person", ""]
        for one, those in by_reason(plan.left):
            places = "; ".join(it.place for it in those)
            lines.append(f"- **{cell(one.title)}** ({cell(places)}): {cell(one.why)} ({cell(one.guard)})")
            lines += [
                f"  - {code(answer.flag)}: {cell(answer.means)} ({cell(it.place)})"
                for it in those
                for answer in it.answers
            ]
        lines.append("")
    return "\n".join(lines)


def _head(plan: Plan) -> Iterator[str]:
    told = summary(plan)
    yield (
        f"{counted(told['findings'], 'finding')}, {counted(told['steps'], 'step')}; nothing has been done yet. "
        f"Made {plan.created_at:%Y-%m-%d %H:%M} UTC by {cell(plan.author)}; may be applied until "
        f"{plan.expires_at:%Y-%m-%d %H:%M} UTC, after {counted(plan.required_approvals, 'approval')}. "
        f"Rollout: {plan.rollout}. Digest: `{plan.digest[:16]}`."
    )
    yield from ("", "| Cure | Steps | Findings |", "|---|---|---|")
    for row in told["by_cure"]:
        yield f"| {row['cure']}: {row['means']} | {row['steps']} | {row['findings']} |"
    yield f"| left to a person | | {len(plan.left)} |"
    yield ""
    looks = [f"- {step.id}: {cell(name_of(step))}: {cell(said)}." for step, _, said in look_first(plan)]
    if looks:
        yield from ("## Look at these before you approve", "", *looks, "")


def _step(number: int, step: Step) -> Iterator[str]:
    yield from (f"## Step {number}: {cell(step.title)}", "", f"**{step.severity}**, {cell(where(step))}", "")
    told = (
        ("What is wrong", step.message),
        ("What happens", action(step)),
        ("Why this cure", step.why_this_cure),
        ("Why it is safe", step.why_safe),
        ("Taken back by", rollback(step)),
        ("Checked after", step.verify),
    )
    yield from (f"- **{name}**: {cell(said)}" for name, said in told)
    yield ""
    if step.expected:
        yield from ("| Property | Now | After |", "|---|---|---|")
        yield from (
            f"| {code(c.path or '/')} | {code(brief(c.before))} | {code(brief(c.after))} |"
            for c in step.expected
        )
        yield ""
    if step.parameters.get("Diff"):
        yield from (*block(str(step.parameters["Diff"]), "diff"), "")
