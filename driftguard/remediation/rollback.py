"""Rollback by hand: the saved state of verified or half-done steps, put back in the reverse order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from driftguard.errors import InputError
from driftguard.model.remediation import ActionKind, Execution, ExecutionStatus, Plan, Step
from driftguard.remediation.remedies import MAKER
from driftguard.remediation.seams import Ledger

_CHANGED = (
    ExecutionStatus.VERIFIED,
    ExecutionStatus.RAN_NOT_FIXED,
    ExecutionStatus.FAILED,
    ExecutionStatus.ROLLING_BACK,
)


class Restorer(Protocol):
    def roll_back(self, step: Step, execution: Execution) -> Execution: ...


def left_alone(plan: Plan, executions: Sequence[Execution]) -> dict[str, str]:
    """The steps that ran and are not rolled back with the others, each with the reason."""
    known = {one.step: one.status for one in executions}
    return {
        step.id: _why(step) for step in plan.steps if step.rollback is None and known.get(step.id) in _CHANGED
    }


def _why(step: Step) -> str:
    if step.action is ActionKind.TEMPLATE_PATCH:
        return "It changed nothing in AWS: leave its patch out, or take it back where it is deployed."
    if step.action is ActionKind.WAIVER:
        return "It changed nothing in AWS: `driftguard waivers --remove` takes its waiver away."
    if step.action is ActionKind.REVERT_DRIFT:
        return "A change set put it back as the template declares it, and there is no way back."
    if step.target == MAKER:
        return "It was made again, and nothing was there before that could be put back; delete it by hand."
    return "Nothing was saved that could be put back."


def roll_back(plan: Plan, ledger: Ledger, restorer: Restorer, names: Sequence[str] = ()) -> list[Execution]:
    """Roll steps back, the last one first; all that ran if none is named.  Answers what became of each.

    Raises `InputError` for a step that is not in the plan, did not run, or has nothing saved.
    """
    steps = {step.id: step for step in plan.steps}
    known = {one.step: one for one in ledger.executions(plan.id)}
    for name in names:
        if name not in steps:
            raise InputError(f"the plan {plan.id} has no step {name}.")
        if name not in known or known[name].status not in _CHANGED:
            raise InputError(f"{name} did not run, so there is nothing to put back.")
        if steps[name].rollback is None:
            raise InputError(f"nothing was saved for {name}, so it cannot be put back by driftguard.")
    chosen = names or [
        name
        for name, one in known.items()
        if one.status in _CHANGED and one.execution_id and steps[name].rollback is not None
    ]
    order = [step.id for step in plan.steps]
    done = []
    for name in sorted(chosen, key=order.index, reverse=True):
        result = restorer.roll_back(steps[name], known[name])
        ledger.update_execution(result)
        done.append(result)
    return done
