"""A plan as a person reads it first: what it comes to, what to look at, then a few lines for each step."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from driftguard.model.markup import visible
from driftguard.model.remediation import ActionKind, Change, Cure, Plan, Refusal, Step
from driftguard.remediation.parts import MARK
from driftguard.remediation.render.summary import by_reason, look_first, members, summary
from driftguard.remediation.render.words import CURES, WIDTH, brief, counted, wrapped

_SHORT = 160
_INDENT = " " * 12


def text(plan: Plan) -> str:
    """The plan for a terminal or a mail; `full` says more about each step."""
    lines = [*head(plan), ""]
    if looks := list(look(plan)):
        lines += ["Look at these before you approve", *looks, ""]
    for cure in Cure:
        steps = [step for step in plan.steps if step.cure is cure]
        if steps:
            lines += [f"{cure}: {CURES[cure]}", *_group(steps), ""]
    lines += left(plan.left)
    lines += [*footer(plan)]
    return visible("\n".join(lines)).rstrip() + "\n"


def sums(plan: Plan) -> str:
    """What the plan comes to, what to look at, and what it leaves to people; not its steps."""
    lines = [*head(plan), ""]
    if looks := list(look(plan)):
        lines += ["Look at these before you approve", *looks, ""]
    return visible("\n".join([*lines, *left(plan.left)])).rstrip() + "\n"


def head(plan: Plan) -> Iterator[str]:
    """What the plan comes to, by cure and by account."""
    told = summary(plan)
    yield (
        f"Remediation plan {plan.id}: {counted(told['findings'], 'finding')}, "
        f"{counted(told['steps'], 'step')}.  Nothing has been done yet."
    )
    yield ""
    yield f"  {'':<54}{'steps':>6}{'findings':>10}"
    for row in told["by_cure"]:
        yield f"  {row['cure']:<8}{row['means']:<46}{row['steps']:>6}{row['findings']:>10}"
    if plan.left:
        yield f"  {'-':<8}{'left to a person, with the reason, at the end':<46}{'':>6}{len(plan.left):>10}"
    if len(told["by_account"]) > 1:
        cures = [cure.value for cure in Cure if any(cure.value in row for row in told["by_account"])]
        yield ""
        yield f"  {'account':<14}" + "".join(f"{cure:>8}" for cure in cures)
        for row in told["by_account"]:
            yield f"  {row['account']:<14}" + "".join(f"{row.get(cure) or '':>8}" for cure in cures)


def look(plan: Plan) -> Iterator[str]:
    """What deletes, makes, disturbs, or cannot be taken back, a line each."""
    for step, _, said in look_first(plan):
        yield from wrapped(f"{name_of(step)}: {said}.", f"  {step.id}  ", _INDENT)


def left(refusals: Sequence[Refusal]) -> Iterator[str]:
    """The findings that need a person, why, and what to type for each."""
    if not refusals:
        return
    yield "Left to a person"
    if any(one.answers for one in refusals):
        yield from wrapped(
            "Each flag below makes a step of the finding: type it behind `driftguard remediate plan`, as many as "
            "you like. WHY is your reason, in quotes.",
            "  ",
            "  ",
        )
    for one, those in by_reason(refusals):
        yield from wrapped(f"{one.title}: {'; '.join(it.place for it in those)}.", "  - ", "    ")
        yield from wrapped(f"{one.why} ({one.guard})", "    ", "    ")
        for it in those:
            about = f" ({it.place})" if len(those) > 1 else ""
            for answer in it.answers:
                yield f"      {answer.flag:<44}{answer.means}{about}"
    yield ""


def footer(plan: Plan) -> Iterator[str]:
    """How it would go, and what to type next."""
    if not plan.steps:
        yield "Nothing to approve."
        return
    alarms = f", or when {', '.join(plan.alarms)} raises an alarm" if plan.alarms else ""
    errors = "the first step that does not help" if plan.max_errors == 0 else (
        f"more than {counted(plan.max_errors, 'step')} that did not help"
    )  # fmt: skip
    yield "How it goes"
    yield from wrapped(
        f"The rollout is {plan.rollout}; it stops at {errors}{alarms}. Right before a step its resource is read "
        "again, and a resource that has changed since this plan is left alone. After it the resource is judged "
        "again: only a fault that is gone counts as success, and what did not help is put back from the values "
        "saved in the plan.",
        "  ",
        "  ",
    )
    yield (
        f"  It may be applied until {plan.expires_at:%Y-%m-%d %H:%M} UTC, after "
        f"{counted(plan.required_approvals, 'approval')}.  Digest {plan.digest[:16]}"
    )
    yield ""
    yield "Next"
    yield f"  driftguard remediate show {plan.id} --full              every step in full, with its diff"
    yield f"  driftguard remediate approve {plan.id} --reason ...     then: remediate apply {plan.id}"
    yield "  driftguard remediate plan --revert|--adopt|--accept FINDING     the same plan with another cure"


def _group(steps: Sequence[Step]) -> Iterator[str]:
    """Steps with one reason under it, by account."""
    reasons: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        reasons[step.why_this_cure].append(step)
    for why, those in reasons.items():
        yield from wrapped(why, "  ", "  ")
        for account in sorted({step.key.account for step in those}):
            mine = [step for step in those if step.key.account == account]
            counts = Counter(step.severity.value for step in mine)
            levels = ", ".join(f"{number} {name}" for name, number in counts.items())
            yield f"    account {account}: {levels}"
            for step in mine:
                yield from _step(step)


def _step(step: Step) -> Iterator[str]:
    yield from wrapped(f"{step.severity}  {name_of(step)}  {_place(step)}", f"  {step.id}  ", _INDENT)
    if step.changed_by:
        yield from wrapped(f"changed by {step.changed_by}", _INDENT, _INDENT)
    if step.policy:
        yield from wrapped(f"{step.title}, for {step.policy}", _INDENT, _INDENT)
    if step.also:
        yield from wrapped(f"answers {', '.join(step.also)}, too", _INDENT, _INDENT)
    for change in step.expected:
        yield from _change(change)
    if step.action is ActionKind.TEMPLATE_PATCH:
        yield from wrapped(f"patch for {step.target}, branch {step.parameters['Branch']}", _INDENT, _INDENT)
    if step.action is ActionKind.WAIVER:
        yield f"{_INDENT}no finding for {step.parameters['ExpiresInDays']} days; then it comes back by itself"


def _change(change: Change) -> Iterator[str]:
    place = change.path or "the resource"
    if isinstance(change.before, list) and isinstance(change.after, list):
        gone, come = members(change)
        yield f"{_INDENT}{place}: {len(change.before)} -> {counted(len(change.after), 'member')}"
        yield from (f"{_INDENT}  - {brief(one, _SHORT)}" for one in gone)
        yield from (f"{_INDENT}  + {brief(one, _SHORT)}" for one in come)
        return
    line = f"{place}: {_value(change.before)} -> {_value(change.after)}"
    if len(line) + len(_INDENT) <= WIDTH:
        yield f"{_INDENT}{line}"
        return
    yield f"{_INDENT}{place}:"
    yield from wrapped(f"now    {_value(change.before)}", f"{_INDENT}  ", f"{_INDENT}         ")
    yield from wrapped(f"after  {_value(change.after)}", f"{_INDENT}  ", f"{_INDENT}         ")


def _value(value: object) -> str:
    return "nothing" if value == MARK else brief(value, _SHORT)


def name_of(step: Step) -> str:
    """What people call the resource: its logical id where a stack declares it, its own name otherwise."""
    kind = step.key.type.removeprefix("AWS::").replace("::", " ")
    name = step.key.identifier.rsplit("/", 1)[-1].rsplit(":", 1)[-1] or step.key.identifier
    return f"{kind} {step.logical_id or name}"


def _place(step: Step) -> str:
    name = step.key.identifier
    stack = f"stack {step.stack}; " if step.stack else ""
    named = f"{name}; " if step.logical_id and len(name) < len(step.key.type) + 60 else ""
    return f"({stack}{named}{step.key.region})"
