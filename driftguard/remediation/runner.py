"""Applying a plan: waves, verification, rollback.  Nothing is started twice, and nothing is unaccounted for.

For each step the intention is written before the first call, and the result after it.  The client token comes
out of the plan's digest and the step: whoever continues after a crash finds what was started by that token.
`starting` begins a step, `ending` judges it; which steps go when, and what stops them all, is decided here.
"""

from __future__ import annotations

from collections.abc import Sequence

from driftguard.errors import AwsError, RefusedError
from driftguard.model.remediation import Execution, ExecutionStatus, Plan, Step
from driftguard.remediation.ending import POLL_SECONDS, Finisher
from driftguard.remediation.guards import plan_refusals
from driftguard.remediation.journal import Journal
from driftguard.remediation.results import Outcome, Running
from driftguard.remediation.rollout import rollout, waves
from driftguard.remediation.seams import Clock, Desk, Eyes, Hands, Ledger, Switch
from driftguard.remediation.starting import Starter, missing_action
from driftguard.settings.remediation import RemediationSettings

_WATCH_SECONDS = 15.0


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
        self._hands = hands
        self._switch = switch
        self._clock = clock
        self._needs_approval = needs_approval
        self._journal = Journal(plan, ledger, clock, actor)
        self._starter = Starter(self._journal, settings, eyes=eyes, hands=hands, desk=desk, clock=clock)
        self._finisher = Finisher(self._journal, settings, self._starter, eyes=eyes, hands=hands, clock=clock)
        self._stopped = ""
        self._paused = False

    def run(self) -> Outcome:
        """Apply the plan, or go on with it.  Raises `RefusedError` when the plan as a whole is refused."""
        for guard, why in plan_refusals(
            self._plan, self._settings, self._clock.now(), needs_approval=self._needs_approval
        ):
            raise RefusedError(
                why[0].upper() + why[1:], guard=guard, fix="Make a new plan, or have it approved."
            )
        self._journal.read()
        shape = rollout(self._plan.rollout, self._settings.rollouts)
        self._journal.audit("plan.apply", self._plan.id, {"digest": self._plan.digest})
        self._finisher.take_up(self._plan.steps)
        parts = waves(shape, self._plan.steps)
        for number, wave in enumerate(parts):
            done_before = all(self._journal.ended(step) for step in wave.members)
            self._wave(wave.members)
            if self._stopped or self._paused:
                break
            if number + 1 < len(parts) and not done_before:
                self._watch(wave.watch_seconds, wave.members)
        return self._close()

    def roll_back(self, step: Step, execution: Execution) -> Execution:
        """Put the saved state of one step back, by hand."""
        return self._finisher.roll_back(step, execution, late=True)

    def _wave(self, steps: Sequence[Step]) -> None:
        waiting = [step for step in steps if not self._journal.ended(step)]
        running: list[Running] = []
        while waiting or running:
            self._ask(steps)
            while (step := self._next(waiting, running)) is not None:
                waiting.remove(step)
                begun = self._starter.begin(step)
                if begun is not None:
                    running.append(begun)
                self._count()
            running = [one for one in running if not self._finisher.settle(one)]
            self._count()
            if (self._stopped or self._paused) and not running:
                # What was started before a crash is brought to its end, whatever stopped the rest.
                waiting = [step for step in waiting if self._journal.of(step) is not None]
            if running:
                self._clock.sleep(POLL_SECONDS)

    def _next(self, waiting: Sequence[Step], running: Sequence[Running]) -> Step | None:
        """The next step that may start now: steps on one resource follow each other."""
        self._listen()
        if len(running) >= self._settings.concurrency:
            return None
        busy = {one.step.key for one in running}
        for step in waiting:
            halted = self._stopped or self._paused
            if step.key not in busy and (not halted or self._journal.of(step) is not None):
                return step
            busy.add(step.key)
        return None

    # -- what stops a run

    def _ask(self, steps: Sequence[Step]) -> None:
        self._listen()
        if not self._stopped and self._plan.alarms:
            try:
                name = self._hands.alarming(steps, self._plan.alarms)
            except AwsError as error:
                name, self._stopped = "", f"the alarms could not be asked: {error}{missing_action(error)}"
            if name:
                self._stopped = f"the alarm {name} is in ALARM"

    def _listen(self) -> None:
        """What people said meanwhile."""
        asked = self._switch.asked()
        if asked == "abort" and not self._stopped:
            self._stopped = "the run was aborted"
        self._paused = asked == "pause"

    def _count(self) -> None:
        faults = self._journal.faults()
        if faults > self._plan.max_errors and not self._stopped:
            self._stopped = f"{faults} steps did not help, and the plan allows {self._plan.max_errors}"

    def _watch(self, seconds: float, steps: Sequence[Step]) -> None:
        """Between two waves: time for alarms and people to speak."""
        self._ask(steps)
        end = self._clock.now().timestamp() + seconds
        while not self._stopped and not self._paused and self._clock.now().timestamp() < end:
            self._clock.sleep(min(_WATCH_SECONDS, end - self._clock.now().timestamp()))
            self._ask(steps)

    def _close(self) -> Outcome:
        """Every step ends with a row; the rest of a paused run stays open on purpose."""
        if self._stopped:
            for step in self._plan.steps:
                if self._journal.of(step) is None:
                    detail = f"Not started: {self._stopped}."
                    self._journal.write(self._journal.new(step, ExecutionStatus.SKIPPED, detail))
        found = self._journal.executions()
        self._journal.audit(
            "plan.applied",
            self._plan.id,
            {"stopped": self._stopped, "paused": self._paused, "steps": len(found)},
        )
        return Outcome(executions=found, stopped=self._stopped, paused=self._paused)
