"""What a rollback by hand leaves behind: a status that is true, and words that do not contradict it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from driftguard.errors import AwsError
from driftguard.model import Resource
from driftguard.model.remediation import ActionKind, Execution, ExecutionStatus, Plan, Step
from driftguard.remediation.ending import Finisher
from driftguard.remediation.journal import Journal
from driftguard.remediation.remedies import MAKER
from driftguard.remediation.render import outcome
from driftguard.remediation.rollback import left_alone
from driftguard.remediation.seams import Look, State
from tests.unit.remediation.test_guards import LIVE, NOW, SETTINGS, STEP, sealed

MENDED = replace(LIVE, properties={"VersioningConfiguration": {"Status": "Enabled"}}, state_hash="h2")
SAID = "The resource is as its template declares it."
ROLLED = replace(
    STEP, saved={"/VersioningConfiguration/Status": "Suspended"}, rollback={"document": "D", "parameters": {}}
)


class Clock:
    def now(self) -> datetime:
        return NOW

    def sleep(self, seconds: float) -> None:
        return None


class Notes:
    """A ledger that only takes audit entries."""

    def audit(self, *_: Any) -> None:
        return None


def run_back(
    reads: list[Resource | AwsError], look: Look, status: ExecutionStatus = ExecutionStatus.VERIFIED
) -> Execution:
    """What becomes of a step when it is rolled back; ``reads`` is what AWS shows, one after the other."""

    def read(key: object) -> Resource:
        found = reads.pop(0)
        if isinstance(found, AwsError):
            raise found
        return found

    given: Any = SimpleNamespace
    plan: Plan = sealed(steps=(ROLLED,))
    ledger: Any = Notes()
    finisher = Finisher(
        Journal(plan, ledger, Clock(), "lee"),
        SETTINGS,
        given(attempt=lambda step, token, undo: "e-1"),
        eyes=given(read=read),
        hands=given(look=lambda step, execution: look),
        clock=Clock(),
    )
    ran = Execution(plan=plan.id, step=ROLLED.id, token="t", status=status, detail=SAID, state_hash="h2")
    return finisher.roll_back(ROLLED, ran, late=True)


DONE = Look(state=State.SUCCEEDED)


def test_a_step_that_was_put_back_is_not_called_mended() -> None:
    found = run_back([MENDED, LIVE], DONE)
    assert (found.status, found.detail) == ("ROLLED_BACK", "The state before was put back.")
    assert run_back([LIVE], DONE).detail == "Everything is as it was saved."


@pytest.mark.parametrize(("after", "look", "said"), [
    (MENDED, DONE, "The rollback ran, but /VersioningConfiguration/Status is not as before."),
    (AwsError("no"), DONE, "The rollback ran, unseen: no"),
    (MENDED, Look(state=State.FAILED, detail="it broke"), "The rollback failed: it broke"),
])  # fmt: skip
def test_a_rollback_that_failed_is_no_success(after: Any, look: Look, said: str) -> None:
    """It is counted as failed and listed under what is still open."""
    found = run_back([MENDED, after], look)
    assert (found.status, found.detail) == ("FAILED", said)
    text = outcome(sealed(steps=(ROLLED,)), [found])
    assert "1 FAILED" in text and "Still open" in text
    again = run_back([MENDED, after], look, ExecutionStatus.RAN_NOT_FIXED)
    assert (again.status, again.detail) == ("RAN_NOT_FIXED", f"{SAID} {said}"), (
        "it had not helped before either"
    )


def test_a_rollback_that_did_not_begin_changes_nothing() -> None:
    found = run_back([AwsError("no")], DONE)
    assert found.status == "VERIFIED"
    assert found.detail == f"{SAID} The rollback could not be started: no"


def test_a_step_that_is_left_alone_has_a_reason() -> None:
    kinds = (ActionKind.SSM_AUTOMATION, ActionKind.REVERT_DRIFT, ActionKind.TEMPLATE_PATCH, ActionKind.WAIVER)
    steps: tuple[Step, ...] = (
        *(replace(STEP, id=f"s-{number}", action=kind) for number, kind in enumerate(kinds)),
        replace(STEP, id="made", target=MAKER),
        replace(STEP, id="idle", target=MAKER),
        replace(ROLLED, id="saved"),
    )
    rows = [
        Execution(plan="p-1", step=one.id, token=one.id, status=ExecutionStatus.VERIFIED)
        for one in steps
        if one.id != "idle"
    ]
    found = left_alone(sealed(steps=steps), rows)
    assert set(found) == {"s-0", "s-1", "s-2", "s-3", "made"}
    assert len(set(found.values())) == 5 and "made again" in found["made"]
