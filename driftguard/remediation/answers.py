"""What a person can answer for a finding that a plan leaves alone: only what would really become a step.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from driftguard.model import DriftStatus, FindingKind
from driftguard.model.remediation import Answer, Cure, Step
from driftguard.remediation.material import Case
from driftguard.remediation.parts import Impossible
from driftguard.remediation.wishes import Wishes

SHORT = 12
"""Digits of a fingerprint that name a finding on the command line."""
_PASSING = frozenset({"stack-in-progress", "too-many", "unread"})
"""Guards whose reason passes by itself: planning again is the answer."""

Attempt = Callable[[Case, Cure, bool], Step]
"""(case, cure, deletes allowed) -> its step, or `Impossible`."""


def answers(case: Case, guard: str, wishes: Wishes, attempt: Attempt) -> tuple[Answer, ...]:
    """The flags of `remediate plan` that give the case a step, each with what it means."""
    return () if guard in _PASSING else tuple(_found(case, guard, wishes, attempt))


def _found(case: Case, guard: str, wishes: Wishes, attempt: Attempt) -> Iterator[Answer]:
    name = case.worst.fingerprint[:SHORT]
    if guard == "deletes" and not wishes.asked(case):
        yield Answer(flag="--allow-deletes", means="let the plan delete or revoke")
    for cure in (Cure.REVERT, Cure.ADOPT, Cure.ACCEPT):
        try:
            step = attempt(case, cure, True)
        except Impossible:
            continue
        flag = f"--{cure.lower()} {name}"
        if cure is Cure.ACCEPT:
            flag = f"{flag}=WHY"
        elif step.deletes:
            flag = f"{flag} --allow-deletes"
        yield Answer(flag=flag, means=_meaning(case, cure, wishes))


def _meaning(case: Case, cure: Cure, wishes: Wishes) -> str:
    gone = case.drift is not None and case.drift.status is DriftStatus.DELETED
    if cure is Cure.ACCEPT:
        return f"accept it for {wishes.accept_days} days"
    if cure is Cure.ADOPT:
        return "take it out of the template" if gone else "take the change into the template"
    if case.worst.kind is FindingKind.UNMANAGED:
        return "delete it, for good"
    return "make it again" if gone else "put it back"
