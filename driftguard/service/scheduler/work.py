"""What a unit means: which scan answers a lease."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from driftguard.aws import Aws
from driftguard.errors import ConfigError, DriftguardError
from driftguard.history.port import Store
from driftguard.model import Json, Report, RunStatus, key_region
from driftguard.model.schedule import EVENTS, Lease, Slot, Unit, UnitState
from driftguard.scan import Job, scan
from driftguard.service import emf
from driftguard.service.scheduler.heard import Heard
from driftguard.service.scheduler.worker import Worker
from driftguard.settings import Settings
from driftguard.settings.service import Schedule


class Services(Protocol):
    """What the scheduler needs of the composition root; `driftguard.wiring.Wiring` is one."""

    settings: Settings
    clock: Callable[[], datetime]

    @property
    def store(self) -> Store: ...
    @property
    def aws(self) -> Aws: ...
    def job(self, *, trigger: str, accounts: tuple[str, ...] = (), regions: tuple[str, ...] = ()) -> Job: ...
    def deliver(self) -> int: ...


class Interrupted(DriftguardError):
    """The scan was asked to stop before it was complete; its unit goes back."""


class Scanner:
    """Does the units of schedules and events by scanning."""

    def __init__(self, services: Services, heard: Heard | None = None) -> None:
        self._services = services
        self._heard = heard or Heard()
        self._schedules = {schedule.id: schedule for schedule in services.settings.service.schedules}

    def __call__(self, lease: Lease, stopped: Callable[[], bool]) -> None:
        if lease.schedule == EVENTS:
            job = replace(_event_job(self._services, lease.task), heard=self._heard)
            self._scan(lease, stopped, job)
            return
        schedule = self._schedules.get(lease.schedule)
        if schedule is None:
            raise ConfigError(
                f"the schedule `{lease.schedule}` is not in the settings (any more).",
                fix="Put it back into `service.schedules`, or let its slots be given up.",
            )
        if schedule.units != "whole" and not lease.account:
            self._services.store.expand(
                lease, self._services.store.clock(self._services.clock()), self._places(schedule)
            )
            return
        self._scan(lease, stopped, self._job(schedule, lease))

    def _places(self, schedule: Schedule) -> list[tuple[str, str]]:
        targets = [
            target
            for target in self._services.aws.targets()
            if (not schedule.accounts or target.account in schedule.accounts)
            and (not schedule.regions or target.region in schedule.regions)
        ]
        if schedule.units == "account":
            return list(dict.fromkeys((target.account, "") for target in targets))
        return [(target.account, target.region) for target in targets]

    def _job(self, schedule: Schedule, lease: Lease) -> Job:
        accounts = (lease.account,) if lease.account else schedule.accounts
        regions = (lease.region,) if lease.region else schedule.regions
        job = self._services.job(trigger=f"schedule:{schedule.id}", accounts=accounts, regions=regions)
        changes: dict[str, object] = {}
        if schedule.types:
            changes["types"] = schedule.types
        if schedule.stacks:
            changes["stacks"] = schedule.stacks
        return _narrowed(job, changes)

    def _scan(self, lease: Lease, stopped: Callable[[], bool], job: Job) -> Report:
        report = scan(replace(job, lease=lease), cancelled=stopped)
        if report.run.status is RunStatus.INTERRUPTED:
            raise Interrupted("the scan was stopped before it was complete.")
        emf.tell(report, self._services.settings.service.emf_namespace)
        self._services.deliver()
        return report


def run_slot(services: Services, slot: Slot, stopped: Callable[[], bool]) -> Sequence[Unit]:
    """Write down one slot and work on it here until it is settled; answers its units.

    Other workers of the store may take units of it too.  Units that were due before it are done first.
    """
    store, settings = services.store, services.settings.service.lease
    store.add_slot(slot, store.clock(services.clock()))
    worker = Worker(store, f"by hand:{os.getpid()}", Scanner(services), settings, services.clock)
    while not stopped():
        units = store.units(slot.schedule, slot.key)
        if all(unit.state in (UnitState.DONE, UnitState.FAILED) for unit in units):
            return units
        if not worker.turn(stopped):
            time.sleep(1)
    return store.units(slot.schedule, slot.key)


def _event_job(services: Services, task: Mapping[str, Json]) -> Job:
    """A scan of one resource's type in its account and region, or of one stack."""
    account, region = str(task.get("account", "")), str(task.get("region", ""))
    kind = "" if task.get("stack") else str(task.get("type", ""))
    # What AWS keeps once per account may be declared in any region, and all of it tells what nobody declares.
    everywhere = services.settings.scope.complete and key_region(kind, region) == "global"
    job = services.job(
        trigger=f"event:{task.get('source', '')}",
        accounts=(account,),
        regions=() if everywhere else (region,),
    )
    changes: dict[str, object] = {}
    if task.get("stack"):
        changes["stacks"] = (str(task["stack"]),)
    elif kind:
        changes["types"] = (kind,)
    narrowed = _narrowed(job, changes)
    quick = narrowed.settings.scan.model_copy(update={"native_drift": False})
    return replace(narrowed, settings=narrowed.settings.model_copy(update={"scan": quick}))


def _narrowed(job: Job, changes: Mapping[str, object]) -> Job:
    if not changes:
        return job
    scope = job.settings.scope.model_copy(update=dict(changes))
    return replace(job, settings=job.settings.model_copy(update={"scope": scope}))
