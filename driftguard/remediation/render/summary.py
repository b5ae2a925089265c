"""A plan in numbers, and what somebody should look at before approving it.  Pure data, for every form."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from driftguard.model import Json
from driftguard.model.remediation import ActionKind, Change, Cure, Plan, Refusal, Step
from driftguard.remediation.parts import MARK
from driftguard.remediation.remedies import MAKER
from driftguard.remediation.render.words import CURES, brief

CHANGING = (ActionKind.SSM_AUTOMATION, ActionKind.REVERT_DRIFT)
_SHORT = 120


def summary(plan: Plan) -> dict[str, Json]:
    """What `--output json` says beside the steps, and every other form says first."""
    return {
        "findings": sum(len(step.findings) for step in plan.steps) + len(plan.left),
        "answered": sum(len(step.findings) for step in plan.steps),
        "steps": len(plan.steps),
        "changing_aws": sum(step.action in CHANGING for step in plan.steps),
        "by_cure": [
            {
                "cure": cure.value,
                "means": CURES[cure],
                "steps": len(steps),
                "findings": sum(len(step.findings) for step in steps),
            }
            for cure in Cure
            if (steps := [step for step in plan.steps if step.cure is cure])
        ],
        "by_account": [
            {"account": account, **{cure.value: counts[cure] for cure in Cure if counts[cure]}}
            for account, counts in sorted(_by_account(plan.steps).items())
        ],
        "look_first": [{"step": step.id, "why": kind, "what": said} for step, kind, said in look_first(plan)],
        "needs_a_person": [
            {"why": one.why, "guard": one.guard, "findings": [_finding(it) for it in those]}
            for one, those in by_reason(plan.left)
        ],
    }


def _by_account(steps: Sequence[Step]) -> dict[str, Counter[Cure]]:
    found: dict[str, Counter[Cure]] = defaultdict(Counter)
    for step in steps:
        found[step.key.account][step.cure] += 1
    return found


def _finding(one: Refusal) -> dict[str, Json]:
    return {
        "finding": one.finding,
        "title": one.title,
        "place": one.place,
        "answers": [{"flag": it.flag, "means": it.means} for it in one.answers],
    }


def by_reason(left: Sequence[Refusal]) -> list[tuple[Refusal, list[Refusal]]]:
    """Findings that are left to a person, those with one reason together."""
    groups: dict[tuple[str, str, str], list[Refusal]] = defaultdict(list)
    for one in left:
        groups[one.guard, one.why, one.title].append(one)
    return [(those[0], those) for those in groups.values()]


def look_first(plan: Plan) -> Iterator[tuple[Step, str, str]]:
    """(step, kind, sentence) for what deletes, makes, disturbs, or cannot be taken back."""
    for step in plan.steps:
        if step.action is ActionKind.TEMPLATE_PATCH and (gone_too := _undeclared(step)):
            yield step, "TAKES_AWAY", f"takes {gone_too} out of the template, too"
            continue
        gone = [said for change in step.expected for said in taken_away(change)]
        if step.deletes or gone:
            kind = "DELETES" if step.deletes else "TAKES_AWAY"
            yield step, kind, f"takes away {', '.join(gone) or 'what its document deletes'}"
        if step.target == MAKER or (step.action is ActionKind.REVERT_DRIFT and step.state_hash == ""):
            yield step, "MAKES", "makes the resource again, with what its template declares"
        if step.mind:
            yield step, "DISTURBS", step.mind.rstrip(".")
        if step.action in CHANGING and step.rollback is None and step.target != MAKER:
            yield step, "NO_WAY_BACK", "cannot be taken back by driftguard"


def _undeclared(step: Step) -> str:
    return next((str(one.before) for one in step.expected if not one.path and one.after == MARK), "")


def taken_away(change: Change) -> list[str]:
    """The members of a list, or the whole value, that the change takes away."""
    if isinstance(change.before, list) and isinstance(change.after, list):
        return [brief(member, _SHORT) for member in members(change)[0] if not _keyed(member, change.after)]
    if change.after == MARK and not change.path:
        return ["the resource itself"]
    if change.after == MARK and change.before not in (MARK, False, None):
        return [f"{change.path} {brief(change.before, _SHORT)}"]
    return []


def members(change: Change) -> tuple[list[Json], list[Json]]:
    """The members of a list that go, and those that come."""
    before, after = change.before or [], change.after or []
    return [one for one in before if one not in after], [one for one in after if one not in before]


def _keyed(member: Json, after: Sequence[Json]) -> bool:
    """Whether a member only changes: one of the same key or name stays."""
    if not isinstance(member, Mapping):
        return False
    name = next((key for key in ("Key", "Name", "Id", "Sid", "PolicyName") if key in member), None)
    return name is not None and any(
        isinstance(one, Mapping) and one.get(name) == member[name] for one in after
    )
