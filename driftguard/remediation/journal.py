"""What is known of a run's steps, written down before and after each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from driftguard.model import Json
from driftguard.model.remediation import Execution, ExecutionStatus, Plan, Step
from driftguard.remediation.results import FAULTY, OPEN
from driftguard.remediation.seal import token_of
from driftguard.remediation.seams import Clock, Ledger


class Journal:
    """The executions of one plan, by token, as the ledger has them."""

    def __init__(self, plan: Plan, ledger: Ledger, clock: Clock, actor: str) -> None:
        self.plan = plan
        self._ledger = ledger
        self._clock = clock
        self._actor = actor
        self._known: dict[str, Execution] = {}

    def read(self) -> None:
        """Take up what earlier runs of the plan have written."""
        self._known = {one.token: one for one in self._ledger.executions(self.plan.id)}

    def of(self, step: Step) -> Execution | None:
        return self._known.get(self.token(step))

    def token(self, step: Step) -> str:
        return token_of(self.plan, step)

    def ended(self, step: Step) -> bool:
        known = self.of(step)
        return known is not None and known.status not in OPEN

    def faults(self) -> int:
        """How many steps did not help."""
        return sum(one.status in FAULTY for one in self._known.values())

    def executions(self) -> tuple[Execution, ...]:
        """What is known, in the order of the plan's steps."""
        return tuple(one for step in self.plan.steps if (one := self.of(step)) is not None)

    def left(self, step: Step) -> str:
        """The state in which this plan's own last step on the same resource left it; empty when none did."""
        found = ""
        for other in self.plan.steps:
            if other.id == step.id:
                break
            known = self.of(other)
            if other.key == step.key and known is not None:
                found = known.state_hash or found
        return found

    def new(self, step: Step, status: ExecutionStatus, detail: str = "") -> Execution:
        """The first row of a step: begun, or ended without a start."""
        now, begun = self._clock.now(), status in OPEN
        return Execution(
            plan=self.plan.id,
            step=step.id,
            token=self.token(step),
            status=status,
            started_at=now if begun else None,
            finished_at=None if begun else now,
            detail=detail,
        )

    def done(
        self, execution: Execution, status: ExecutionStatus, detail: str, state_hash: str = ""
    ) -> Execution:
        return replace(
            execution,
            status=status,
            finished_at=self._clock.now(),
            detail=detail.strip(),
            state_hash=state_hash or execution.state_hash,
        )

    def write(self, execution: Execution) -> Execution:
        """Write it down; answers what the ledger keeps of it, for only that has no secrets and may be told."""
        if execution.token in self._known or not self._ledger.put_execution(execution):
            self._ledger.update_execution(execution)
        rows = self._ledger.executions(self.plan.id)
        kept = next(one for one in rows if one.token == execution.token)
        self._known[execution.token] = kept
        return kept

    def audit(self, action: str, subject: str, detail: Mapping[str, Json]) -> None:
        self._ledger.audit(self._actor, action, subject, detail)
