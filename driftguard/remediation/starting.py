"""Starting one step: a last look at everything, the intention written down, and one token for every attempt."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from driftguard.errors import (
    AccessDeniedError,
    AwsError,
    DriftguardError,
    EndpointError,
    RefusedError,
    ThrottledError,
)
from driftguard.model.remediation import ActionKind, Execution, ExecutionStatus, Step
from driftguard.remediation.guards import Starting, refusal
from driftguard.remediation.journal import Journal
from driftguard.remediation.results import LOCAL, Running
from driftguard.remediation.seams import Clock, Desk, Eyes, Hands
from driftguard.remediation.values import Operation
from driftguard.settings.remediation import RemediationSettings

log = logging.getLogger(__name__)
_ATTEMPTS = 6


class Starter:
    """Starts the steps of one plan, no faster than the settings allow."""

    def __init__(
        self,
        journal: Journal,
        settings: RemediationSettings,
        *,
        eyes: Eyes,
        hands: Hands,
        desk: Desk,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._settings = settings
        self._eyes = eyes
        self._hands = hands
        self._desk = desk
        self._clock = clock
        self._last = float("-inf")

    def begin(self, step: Step) -> Running | None:
        """Start a step, or take up what was started before; ``None`` when it has ended already."""
        known = self._journal.of(step)
        if known is not None and known.status is ExecutionStatus.STARTED:
            return self._running(step, known)
        if known is not None and step.action not in LOCAL and (found := self._found(step)):
            return self._started(step, known, found)
        refused = self._refused(step)
        if refused:
            refusal_row = known or self._journal.new(step, ExecutionStatus.REFUSED)
            self._journal.write(self._journal.done(refusal_row, ExecutionStatus.REFUSED, refused))
            return None
        intention = known or self._journal.write(self._journal.new(step, ExecutionStatus.PENDING))
        if step.action in LOCAL:
            self._journal.write(self._at_desk(step, intention))
            return None
        return self._start(step, intention)

    def attempt(self, step: Step, token: str, *, undo: Sequence[Operation] = ()) -> str:
        """Start with a bounded number of attempts, all of them with one token; answers what runs.

        Raises `AwsError` and `RefusedError`.
        """
        pause = 1.0
        for attempt in range(1, _ATTEMPTS + 1):
            self._pace()
            try:
                return self._hands.undo(step, token, undo) if undo else self._hands.start(step, token)
            except (ThrottledError, EndpointError) as error:
                if attempt == _ATTEMPTS:
                    raise
                log.info("start is repeated", extra={"step": step.id, "attempt": attempt, "code": error.code})
            except AwsError as error:
                # SSM's quota of executions at a time:
                # https://docs.aws.amazon.com/general/latest/gr/ssm.html
                if error.code != "AutomationExecutionLimitExceededException" or attempt == _ATTEMPTS:
                    raise
            self._clock.sleep(pause)
            pause = min(pause * 2, 30.0)
        raise AssertionError("the loop returns or raises")

    def _found(self, step: Step) -> str:
        try:
            return self._hands.find(step, self._journal.token(step))
        except AwsError:
            return ""  # starting again with the same token answers the same execution

    def _refused(self, step: Step) -> str:
        """Why the step must not start, with a fresh look at everything; empty when it may."""
        local = step.action in LOCAL
        try:
            said = refusal(
                Starting(
                    plan=self._journal.plan,
                    step=step,
                    settings=self._settings,
                    now=self._clock.now(),
                    live=self._eyes.read(step.key) if step.action is not ActionKind.WAIVER else None,
                    left=self._journal.left(step),
                    stack_status="" if local else self._hands.stack_status(step),
                    calendars={} if local else self._hands.calendars(step),
                    document_problem=self._hands.document_problem(step)
                    if step.action is ActionKind.SSM_AUTOMATION
                    else "",
                )
            )
        except AwsError as error:
            return f"It could not be looked at before the start: {error}{missing_action(error)}"
        return f"{said[1][0].upper()}{said[1][1:]} ({said[0]})" if said else ""

    def _start(self, step: Step, intention: Execution) -> Running | None:
        try:
            started = self.attempt(step, self._journal.token(step))
        except (AwsError, RefusedError) as error:
            status = ExecutionStatus.REFUSED if isinstance(error, RefusedError) else ExecutionStatus.FAILED
            said = f"It was not started: {error}{missing_action(error)}"
            self._journal.write(self._journal.done(intention, status, said))
            return None
        return self._started(step, intention, started)

    def _started(self, step: Step, row: Execution, execution_id: str) -> Running:
        row = replace(row, status=ExecutionStatus.STARTED, execution_id=execution_id)
        return self._running(step, self._journal.write(row))

    def _running(self, step: Step, row: Execution) -> Running:
        return Running(step, row, self._clock.now().timestamp())

    def _pace(self) -> None:
        now = self._clock.now().timestamp()
        wait = self._last + 1 / self._settings.starts_per_second - now
        if wait > 0:
            self._clock.sleep(wait)
        self._last = self._clock.now().timestamp()

    def _at_desk(self, step: Step, intention: Execution) -> Execution:
        try:
            said = self._desk.do(step)
        except DriftguardError as error:
            return self._journal.done(intention, ExecutionStatus.FAILED, str(error))
        return self._journal.done(intention, ExecutionStatus.VERIFIED, said)


def missing_action(error: DriftguardError) -> str:
    """The IAM action that a denial asks for, as a sentence with a space before it; empty for other errors."""
    if isinstance(error, AccessDeniedError) and error.action:
        return f" Missing action: {error.action}."
    return ""
