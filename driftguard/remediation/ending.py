"""Ending one step: success is the fault gone, not the action ended; what did not help is put back."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from driftguard.errors import AwsError, RefusedError
from driftguard.model import Resource
from driftguard.model.remediation import Execution, ExecutionStatus, Step
from driftguard.remediation.journal import Journal
from driftguard.remediation.results import Running, before, changed_since, not_restored, properties_of
from driftguard.remediation.seal import canonical, token_of
from driftguard.remediation.seams import Clock, Eyes, Hands, Look, State
from driftguard.remediation.starting import Starter
from driftguard.remediation.values import settings_patch
from driftguard.settings.remediation import RemediationSettings

log = logging.getLogger(__name__)
POLL_SECONDS = 2.0


class Finisher:
    """Watches the steps that run, judges what they did, and rolls back."""

    def __init__(
        self,
        journal: Journal,
        settings: RemediationSettings,
        starter: Starter,
        *,
        eyes: Eyes,
        hands: Hands,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._settings = settings
        self._starter = starter
        self._eyes = eyes
        self._hands = hands
        self._clock = clock

    def settle(self, one: Running) -> bool:
        """Whether a running step has ended; then its result is written."""
        try:
            look = self._hands.look(one.step, one.execution.execution_id)
        except AwsError as error:
            look = Look(state=State.RUNNING, detail=str(error))
        late = self._clock.now().timestamp() - one.since > self._settings.step_timeout_minutes * 60
        if look.state is State.RUNNING and not late:
            return False
        if look.state is State.RUNNING:
            self._stop(one)
            look = Look(
                state=State.FAILED,
                detail=f"It did not end within {self._settings.step_timeout_minutes:g} minutes and was stopped. "
                f"{look.detail}".strip(),
            )
        self._journal.write(self._judged(one, look))
        return True

    def _stop(self, one: Running) -> None:
        try:
            self._hands.stop(one.step, one.execution.execution_id)
        except AwsError as error:
            log.warning("a step could not be stopped", extra={"step": one.step.id, "code": error.code})

    def _judged(self, one: Running, look: Look) -> Execution:
        """The result: not that the action ended, but whether the fault is gone."""
        fixed, said, live = self._verdict(one.step, patient=look.state is State.SUCCEEDED)
        left = live.state_hash if live is not None else ""
        if fixed:
            note = "" if look.state is State.SUCCEEDED else f" The action itself failed: {look.detail}"
            if live is not None:
                self._eyes.accept(one.step, live)
            return self._journal.done(one.execution, ExecutionStatus.VERIFIED, f"{said}{note}", left)
        if look.state is State.SUCCEEDED:
            failed = self._journal.done(
                one.execution, ExecutionStatus.RAN_NOT_FIXED, f"The action succeeded, but: {said}", left
            )
        else:
            failed = self._journal.done(
                one.execution, ExecutionStatus.FAILED, f"{look.detail} {said}".strip(), left
            )
        if not self._settings.rollback_on_failure or one.step.rollback is None:
            return failed
        if left and left == one.step.state_hash:
            return replace(failed, detail=f"{failed.detail} Nothing was changed, so nothing is rolled back.")
        # Written first: whoever finds this after a crash takes the rollback up.
        self._journal.write(replace(failed, status=ExecutionStatus.ROLLING_BACK))
        return self.roll_back(one.step, failed)

    def take_up(self, steps: Sequence[Step]) -> None:
        """Go on with the rollbacks that an earlier run began and did not live to end.

        As with a rollback by hand, what somebody else has changed since is not overwritten.
        """
        for step in steps:
            known = self._journal.of(step)
            if known is not None and known.status is ExecutionStatus.ROLLING_BACK:
                failed = replace(known, status=ExecutionStatus.FAILED)
                self._journal.write(self.roll_back(step, failed, late=True))

    def _verdict(self, step: Step, *, patient: bool) -> tuple[bool | None, str, Resource | None]:
        """What a fresh look says; AWS may need a moment until it shows what was done."""
        fixed: bool | None = None
        said, live = "", None
        pause, end = POLL_SECONDS, self._clock.now().timestamp() + self._settings.verify_minutes * 60
        while True:
            try:
                live = self._eyes.read(step.key)
                fixed, said = self._eyes.judge(step, live)
            except AwsError as error:
                fixed, said = None, f"It could not be read again: {error}"
            if fixed or not patient or self._clock.now().timestamp() >= end:
                return fixed, said, live
            self._clock.sleep(pause)
            pause = min(pause * 2, 120.0)

    def roll_back(self, step: Step, execution: Execution, *, late: bool = False) -> Execution:
        """Put the saved state of a step back, wait, and look whether it is there.

        ``late``: somebody asks for it after the run; what was changed since by others is not overwritten.
        """
        self._journal.audit("step.rollback", f"{self._journal.plan.id}/{step.id}", {})
        try:
            now = self._eyes.read(step.key)
            if late and (changed := changed_since(step, execution, now)):
                return _not_begun(execution, f"It was not rolled back: {changed} was changed again since.")
            operations = settings_patch(before(step), properties_of(now))
            if not operations:
                return self._back(execution, "Everything is as it was saved.", now)
            token = token_of(self._journal.plan, step, f"rollback {canonical(operations).decode()}")
            look = self._awaited(step, self._starter.attempt(step, token, undo=operations))
        except (AwsError, RefusedError) as error:
            return _not_begun(execution, f"The rollback could not be started: {error}")
        if look.state is not State.SUCCEEDED:
            return self._half(execution, f"The rollback failed: {look.detail}")
        try:
            live = self._eyes.read(step.key)
        except AwsError as error:
            return self._half(execution, f"The rollback ran, unseen: {error}")
        wrong = not_restored(step, live)
        if wrong:
            return self._half(execution, f"The rollback ran, but {wrong} is not as before.", live)
        return self._back(execution, "The state before was put back.", live)

    def _back(self, execution: Execution, said: str, live: Resource | None) -> Execution:
        left = live.state_hash if live is not None else ""
        return self._journal.done(execution, ExecutionStatus.ROLLED_BACK, _told(execution, said), left)

    def _half(self, execution: Execution, said: str, live: Resource | None = None) -> Execution:
        """A rollback that began and did not come to its end: the step is no success any more."""
        left = live.state_hash if live is not None else ""
        worked = execution.status is ExecutionStatus.VERIFIED
        status = ExecutionStatus.FAILED if worked else execution.status
        return self._journal.done(execution, status, _told(execution, said), left)

    def _awaited(self, step: Step, execution_id: str) -> Look:
        end = self._clock.now().timestamp() + self._settings.step_timeout_minutes * 60
        while True:
            look = self._hands.look(step, execution_id)
            if look.state is not State.RUNNING:
                return look
            if self._clock.now().timestamp() > end:
                return Look(state=State.FAILED, detail="it did not end in time.")
            self._clock.sleep(POLL_SECONDS)


def _not_begun(execution: Execution, said: str) -> Execution:
    """Nothing was done: what the step came to still holds."""
    return replace(execution, detail=f"{execution.detail} {said}")


def _told(execution: Execution, said: str) -> str:
    """What a rollback came to, after what the step had come to.

    That a step helped is true no longer once its resource was touched again.
    """
    return said if execution.status is ExecutionStatus.VERIFIED else f"{execution.detail} {said}"
