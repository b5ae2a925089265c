"""Where plans are made and applied: over the remediation room, in threads of this process."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from driftguard.errors import DriftguardError, RefusedError
from driftguard.model import Finding
from driftguard.model.remediation import Plan

if TYPE_CHECKING:
    from driftguard.wiring import Wiring

log = structlog.get_logger(__name__)
_PATCHES = Path("driftguard-patches")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A run that a schedule will start."""

    name: str
    at: datetime


@dataclass(slots=True)
class Desk:
    """Plans of one installation.  A plan is applied by one thread at most."""

    wiring: Wiring
    _busy: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, findings: Sequence[Finding], author: str) -> Plan:
        """Read the resources again and write the plan that answers ``findings``."""
        from driftguard.remediation import Wishes

        made = self.wiring.plan(findings, Wishes(author=author))
        self.wiring.store.put_plan(made)
        return made

    def apply(self, plan: Plan, actor: str) -> None:
        """Start an approved plan.  The runner checks the approval, the digest and every guard again."""
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
                outcome = self.wiring.runner(plan, patches=_PATCHES).run()
                log.info("plan applied", clean=outcome.clean, stopped=outcome.stopped)
            except DriftguardError as error:
                self.wiring.store.audit(actor, "plan.stopped", plan.id, {"why": error.message})
                log.warning("plan stopped", error=str(error))
            except Exception:
                self.wiring.store.audit(actor, "plan.stopped", plan.id, {"why": "a bug; the log says more"})
                log.exception("plan crashed")
            finally:
                with self._lock:
                    self._busy.discard(plan.id)


def upcoming(wiring: Wiring) -> tuple[Planned, ...]:
    """The next start of each schedule, the nearest first."""
    from driftguard.service.scheduler.scheduler import timetables

    tables = timetables(wiring.settings.service.schedules)
    starts = ((name, table.next(wiring.clock(), 1)) for name, table in tables.items())
    found = [Planned(name=name, at=moments[0]) for name, moments in starts if moments]
    return tuple(sorted(found, key=lambda one: one.at))
