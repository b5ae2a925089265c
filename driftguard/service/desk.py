"""Where plans are made and applied: over the remediation room, in threads of this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from driftguard.errors import DriftguardError, RefusedError
from driftguard.model import Finding
from driftguard.model.remediation import ExecutionStatus, Plan
from driftguard.service.scanning import Scans

if TYPE_CHECKING:
    from driftguard.wiring import Wiring

log = structlog.get_logger(__name__)
_PATCHES = Path("driftguard-patches")
APPLIED = "plan-applied"
"""The kind of the documents about applied plans: ``why`` one stopped, and the ``run`` that looked at it afterwards."""
_BUSY_SECONDS = 900
_ASK_SECONDS = 1.0


_TOUCHED = frozenset(
    {
        ExecutionStatus.VERIFIED,
        ExecutionStatus.RAN_NOT_FIXED,
        ExecutionStatus.FAILED,
        ExecutionStatus.ROLLED_BACK,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A run that a schedule will start."""

    name: str
    at: datetime


@dataclass(slots=True)
class Desk:
    """Plans of one installation.  A plan is applied by one thread at most."""

    wiring: Wiring
    scans: Scans
    _busy: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, findings: Sequence[Finding], author: str) -> Plan:
        """Read the resources again and write the plan that answers ``findings``."""
        from driftguard.remediation import Wishes

        made = self.wiring.plan(findings, Wishes(author=author))
        self.wiring.store.put_plan(made)
        if self.wiring.settings.notify.approvals and made.steps:
            now = self.wiring.store.clock(self.wiring.clock())
            self.wiring.store.enqueue(self.wiring.composer.of_plan(made, now), now)
        return made

    def applying(self, plan_id: str) -> bool:
        """Whether the plan is being applied here, or its resources are being looked at afterwards."""
        return plan_id in self._busy

    def apply(self, plan: Plan, actor: str) -> None:
        """Start an approved plan, or go on with it; then look at its resources, so that what it cured is closed.

        The runner checks the approval, the digest and every guard again.
        """
        with self._lock:
            if plan.id in self._busy:
                raise RefusedError(
                    "this plan is being applied.", guard="one-at-a-time", fix="Watch its page."
                )
            self._busy.add(plan.id)
        threading.Thread(target=self._work, args=(plan, actor), name=f"apply {plan.id}").start()

    def _work(self, plan: Plan, actor: str) -> None:
        with structlog.contextvars.bound_contextvars(plan=plan.id, actor=actor):
            try:
                self.wiring.store.put_document(APPLIED, plan.id, {})
                outcome = self.wiring.apply(plan, patches=_PATCHES, actor=actor)
                log.info("plan applied", clean=outcome.clean, stopped=outcome.stopped)
                if any(one.status in _TOUCHED for one in outcome.executions):
                    self._look(plan, actor)
            except DriftguardError as error:
                self._stopped(plan, actor, error.message)
                log.warning("plan stopped", error=str(error))
            except Exception:
                self._stopped(plan, actor, "a bug; the log says more")
                log.exception("plan crashed")
            finally:
                with self._lock:
                    self._busy.discard(plan.id)

    def _stopped(self, plan: Plan, actor: str, why: str) -> None:
        self.wiring.store.put_document(APPLIED, plan.id, {"why": why})
        self.wiring.store.audit(actor, "plan.stopped", plan.id, {"why": why})

    def _look(self, plan: Plan, actor: str) -> None:
        """Scan the places of the plan, once the scan that may be under way has ended: it may have read before."""
        accounts = tuple(sorted({step.key.account for step in plan.steps}))
        regions = tuple(sorted({step.key.region for step in plan.steps}))
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                run = self.scans.start(actor, accounts, () if "global" in regions else regions)
                break
            except RefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_ASK_SECONDS)
        self.wiring.store.put_document(APPLIED, plan.id, {"run": run})
        while self.scans.progress(run) is not None and time.monotonic() < deadline:
            time.sleep(_ASK_SECONDS / 4)


def upcoming(wiring: Wiring) -> tuple[Planned, ...]:
    """The next start of each schedule, the nearest first."""
    from driftguard.service.scheduler.scheduler import timetables

    tables = timetables(wiring.settings.service.schedules)
    starts = ((name, table.next(wiring.clock(), 1)) for name, table in tables.items())
    found = [Planned(name=name, at=moments[0]) for name, moments in starts if moments]
    return tuple(sorted(found, key=lambda one: one.at))
