"""Applying a plan: waves, verification, rollback.  Nothing is started twice, and nothing is unaccounted for.

For each step the intention is written before the first call, and the result after it.  The client token comes
out of the plan's digest and the step: whoever continues after a crash finds what was started by that token.
"""

from __future__ import annotations

import logging
from collections import deque
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
from driftguard.model import Resource
from driftguard.model.remediation import ActionKind, Execution, ExecutionStatus, Plan, Step
from driftguard.remediation.guards import Starting, plan_refusals, refusal
from driftguard.remediation.results import (
    FAULTY,
    LOCAL,
    OPEN,
    Outcome,
    Running,
    before,
    new_execution,
    not_restored,
    properties_of,
)
from driftguard.remediation.rollout import rollout, waves
from driftguard.remediation.seal import canonical, token_of
from driftguard.remediation.seams import Clock, Desk, Eyes, Hands, Ledger, Look, State, Switch
from driftguard.remediation.values import Operation, settings_patch
from driftguard.settings.remediation import RemediationSettings

log = logging.getLogger(__name__)
_START_ATTEMPTS = 6
_POLL_SECONDS = 2.0


class Runner:
    """Applies one plan."""

    def __init__(
        self,
        plan: Plan,
        *,
        settings: RemediationSettings,
        ledger: Ledger,
        eyes: Eyes,
        hands: Hands,
        desk: Desk,
        switch: Switch,
        clock: Clock,
        actor: str,
        needs_approval: bool = True,
    ) -> None:
        self._plan = plan
        self._settings = settings
        self._ledger = ledger
        self._eyes = eyes
        self._hands = hands
        self._desk = desk
        self._switch = switch
        self._clock = clock
        self._actor = actor
        self._needs_approval = needs_approval
        self._known: dict[str, Execution] = {}
        self._stopped = ""
        self._paused = False
        self._last_start = float("-inf")

    def run(self) -> Outcome:
        """Apply the plan, or go on with it.  Raises `RefusedError` when the plan as a whole is refused."""
        for guard, why in plan_refusals(
            self._plan, self._settings, self._clock.now(), needs_approval=self._needs_approval
        ):
            raise RefusedError(
                why[0].upper() + why[1:], guard=guard, fix="Make a new plan, or have it approved."
            )
        self._known = {one.token: one for one in self._ledger.executions(self._plan.id)}
        shape = rollout(self._plan.rollout, self._settings.rollouts)
        self._ledger.audit(self._actor, "plan.apply", self._plan.id, {"digest": self._plan.digest})
        parts = waves(shape, self._plan.steps)
        for number, wave in enumerate(parts):
            done_before = all(self._ended(step) for step in wave.members)
            self._wave(wave.members)
            if self._stopped or self._paused:
                break
            if number + 1 < len(parts) and not done_before:
                self._watch(wave.watch_seconds, wave.members)
        return self._close()

    # -- waves

    def _wave(self, steps: Sequence[Step]) -> None:
        waiting = deque(step for step in steps if not self._ended(step))
        running: list[Running] = []
        while waiting or running:
            self._ask(steps)
            while waiting and len(running) < self._settings.concurrency and self._may_start(waiting[0]):
                begun = self._begin(waiting.popleft())
                if begun is not None:
                    running.append(begun)
                self._count()
            running = [one for one in running if not self._settle(one)]
            self._count()
            if (self._stopped or self._paused) and not running:
                held = [step for step in waiting if self._token(step) in self._known]
                if not held:
                    return
                # What was started before a crash is brought to its end, whatever stopped the rest.
                waiting = deque(held)
            if running:
                self._clock.sleep(_POLL_SECONDS)

    def _may_start(self, step: Step) -> bool:
        self._listen()
        known = self._known.get(self._token(step))
        return known is not None or not (self._stopped or self._paused)

    def _ask(self, steps: Sequence[Step]) -> None:
        self._listen()
        if not self._stopped and self._plan.alarms:
            try:
                name = self._hands.alarming(steps, self._plan.alarms)
            except AwsError as error:
                name, self._stopped = "", f"the alarms could not be asked: {error}"
            if name:
                self._stopped = f"the alarm {name} is in ALARM"

    def _listen(self) -> None:
        """What people said meanwhile."""
        asked = self._switch.asked()
        if asked == "abort" and not self._stopped:
            self._stopped = "the run was aborted"
        self._paused = asked == "pause"

    def _count(self) -> None:
        faults = sum(one.status in FAULTY for one in self._known.values())
        if faults > self._plan.max_errors and not self._stopped:
            self._stopped = f"{faults} steps did not help, and the plan allows {self._plan.max_errors}"

    def _watch(self, seconds: float, steps: Sequence[Step]) -> None:
        """Between two waves: time for alarms and people to speak."""
        self._ask(steps)
        end = self._clock.now().timestamp() + seconds
        while not self._stopped and not self._paused and self._clock.now().timestamp() < end:
            self._clock.sleep(min(15.0, end - self._clock.now().timestamp()))
            self._ask(steps)

    # -- one step

    def _begin(self, step: Step) -> Running | None:
        """Start a step, or take up what was started before; ``None`` when it has ended already."""
        known = self._known.get(self._token(step))
        if known is not None and known.status is ExecutionStatus.STARTED:
            return Running(step, known, self._clock.now().timestamp())
        if known is not None:
            found = self._found(step)
            if found:
                return Running(
                    step,
                    self._write(replace(known, status=ExecutionStatus.STARTED, execution_id=found)),
                    self._clock.now().timestamp(),
                )
        refused = self._refused(step)
        if refused:
            self._write(self._new(step, ExecutionStatus.REFUSED, detail=refused))
            return None
        intention = known or self._new(step, ExecutionStatus.PENDING)
        if known is None:
            self._write(intention)
        if step.action in LOCAL:
            self._write(self._at_desk(step, intention))
            return None
        return self._start(step, intention)

    def _found(self, step: Step) -> str:
        try:
            return self._hands.find(step, self._token(step))
        except AwsError:
            return ""  # starting again with the same token answers the same execution

    def _refused(self, step: Step) -> str:
        """Why the step must not start, with a fresh look at everything; empty when it may."""
        try:
            said = refusal(
                Starting(
                    plan=self._plan,
                    step=step,
                    settings=self._settings,
                    now=self._clock.now(),
                    live=self._eyes.read(step.key) if step.action is not ActionKind.WAIVER else None,
                    stack_status=self._hands.stack_status(step) if step.action not in LOCAL else "",
                    calendars=self._hands.calendars(step) if step.action not in LOCAL else {},
                    document_problem=self._hands.document_problem(step)
                    if step.action is ActionKind.SSM_AUTOMATION
                    else "",
                )
            )
        except AwsError as error:
            return f"It could not be looked at before the start: {error}"
        return f"{said[1][0].upper()}{said[1][1:]} ({said[0]})" if said else ""

    def _start(self, step: Step, intention: Execution) -> Running | None:
        try:
            started = self._started(step, self._token(step))
        except (AwsError, RefusedError) as error:
            status = ExecutionStatus.REFUSED if isinstance(error, RefusedError) else ExecutionStatus.FAILED
            missing = f" Missing action: {error.action}." if isinstance(error, AccessDeniedError) else ""
            self._write(self._done(intention, status, f"It was not started: {error}{missing}"))
            return None
        return Running(
            step,
            self._write(replace(intention, status=ExecutionStatus.STARTED, execution_id=started)),
            self._clock.now().timestamp(),
        )

    def _started(self, step: Step, token: str, *, undo: Sequence[Operation] = ()) -> str:
        """Start with a bounded number of attempts, all of them with one token."""
        pause = 1.0
        for attempt in range(1, _START_ATTEMPTS + 1):
            self._pace()
            try:
                return self._hands.undo(step, token, undo) if undo else self._hands.start(step, token)
            except (ThrottledError, EndpointError) as error:
                if attempt == _START_ATTEMPTS:
                    raise
                log.info("start is repeated", extra={"step": step.id, "attempt": attempt, "code": error.code})
            except AwsError as error:
                # SSM's quota of executions at a time:
                # https://docs.aws.amazon.com/general/latest/gr/ssm.html
                if error.code != "AutomationExecutionLimitExceededException" or attempt == _START_ATTEMPTS:
                    raise
            self._clock.sleep(pause)
            pause = min(pause * 2, 30.0)
        raise AssertionError("the loop returns or raises")

    def _pace(self) -> None:
        now = self._clock.now().timestamp()
        wait = self._last_start + 1 / self._settings.starts_per_second - now
        if wait > 0:
            self._clock.sleep(wait)
        self._last_start = self._clock.now().timestamp()

    def _settle(self, one: Running) -> bool:
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
        self._write(self._judged(one, look))
        return True

    def _stop(self, one: Running) -> None:
        try:
            self._hands.stop(one.step, one.execution.execution_id)
        except AwsError as error:
            log.warning("a step could not be stopped", extra={"step": one.step.id, "code": error.code})

    # -- afterwards

    def _judged(self, one: Running, look: Look) -> Execution:
        """The result: not that the action ended, but whether the fault is gone."""
        fixed, said, live = self._verdict(one.step, patient=look.state is State.SUCCEEDED)
        if fixed:
            note = "" if look.state is State.SUCCEEDED else f" The action itself failed: {look.detail}"
            return self._done(one.execution, ExecutionStatus.VERIFIED, f"{said}{note}")
        if look.state is State.SUCCEEDED:
            failed = self._done(
                one.execution, ExecutionStatus.RAN_NOT_FIXED, f"The action succeeded, but: {said}"
            )
        else:
            failed = self._done(one.execution, ExecutionStatus.FAILED, f"{look.detail} {said}".strip())
        if not self._settings.rollback_on_failure or one.step.rollback is None:
            return failed
        if live is not None and live.state_hash == one.step.state_hash:
            return replace(failed, detail=f"{failed.detail} Nothing was changed, so nothing is rolled back.")
        # Written first: whoever finds this after a crash knows that the rollback is still to be done.
        self._write(failed)
        return self.roll_back(one.step, failed)

    def _verdict(self, step: Step, *, patient: bool) -> tuple[bool | None, str, Resource | None]:
        """What a fresh look says; AWS may need a moment until it shows what was done."""
        fixed: bool | None = None
        said, live = "", None
        pause, end = _POLL_SECONDS, self._clock.now().timestamp() + self._settings.verify_minutes * 60
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

    def roll_back(self, step: Step, execution: Execution) -> Execution:
        """Put the saved state of a step back, wait, and look whether it is there."""
        self._ledger.audit(self._actor, "step.rollback", f"{self._plan.id}/{step.id}", {})
        try:
            operations = settings_patch(before(step), properties_of(self._eyes.read(step.key)))
            if not operations:
                return self._back(execution, "Everything is as it was saved.")
            token = token_of(self._plan, step, f"rollback {canonical(operations).decode()}")
            look = self._awaited(step, self._started(step, token, undo=operations))
        except (AwsError, RefusedError) as error:
            return replace(execution, detail=f"{execution.detail} The rollback could not be started: {error}")
        if look.state is not State.SUCCEEDED:
            return replace(execution, detail=f"{execution.detail} The rollback failed: {look.detail}")
        try:
            live = self._eyes.read(step.key)
        except AwsError as error:
            return replace(execution, detail=f"{execution.detail} The rollback ran, unseen: {error}")
        wrong = not_restored(step, live)
        if wrong:
            return replace(
                execution, detail=f"{execution.detail} The rollback ran, but {wrong} is not as before."
            )
        return self._back(execution, "The state before was put back.")

    def _back(self, execution: Execution, said: str) -> Execution:
        return self._done(execution, ExecutionStatus.ROLLED_BACK, f"{execution.detail} {said}")

    def _awaited(self, step: Step, execution_id: str) -> Look:
        end = self._clock.now().timestamp() + self._settings.step_timeout_minutes * 60
        while True:
            look = self._hands.look(step, execution_id)
            if look.state is not State.RUNNING:
                return look
            if self._clock.now().timestamp() > end:
                return Look(state=State.FAILED, detail="it did not end in time.")
            self._clock.sleep(_POLL_SECONDS)

    def _at_desk(self, step: Step, intention: Execution) -> Execution:
        try:
            said = self._desk.do(step)
        except DriftguardError as error:
            return self._done(intention, ExecutionStatus.FAILED, str(error))
        return self._done(intention, ExecutionStatus.VERIFIED, said)

    # -- the ledger

    def _close(self) -> Outcome:
        """Every step ends with a row; the rest of a paused run stays open on purpose."""
        if self._stopped:
            for step in self._plan.steps:
                if self._token(step) not in self._known:
                    self._write(
                        self._new(step, ExecutionStatus.SKIPPED, detail=f"Not started: {self._stopped}.")
                    )
        self._ledger.audit(
            self._actor,
            "plan.applied",
            self._plan.id,
            {"stopped": self._stopped, "paused": self._paused, "steps": len(self._known)},
        )
        found = tuple(
            self._known[token] for step in self._plan.steps if (token := self._token(step)) in self._known
        )
        return Outcome(executions=found, stopped=self._stopped, paused=self._paused)

    def _ended(self, step: Step) -> bool:
        known = self._known.get(self._token(step))
        return known is not None and known.status not in OPEN

    def _token(self, step: Step) -> str:
        return token_of(self._plan, step)

    def _new(self, step: Step, status: ExecutionStatus, detail: str = "") -> Execution:
        return new_execution(self._plan.id, step, self._token(step), status, self._clock.now(), detail)

    def _done(self, execution: Execution, status: ExecutionStatus, detail: str) -> Execution:
        return replace(execution, status=status, finished_at=self._clock.now(), detail=detail.strip())

    def _write(self, execution: Execution) -> Execution:
        if execution.token in self._known or not self._ledger.put_execution(execution):
            self._ledger.update_execution(execution)
        self._known[execution.token] = execution
        return execution
