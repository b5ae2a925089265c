"""The alarm clock: APScheduler in memory rings, the ledger in the store decides.

Every node may ring.  Nothing is kept in APScheduler: no job store, so no pickle, nothing to share and nothing
to lose; a ring only writes down the slots that are due, and a slot is written once for ever.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from driftguard.errors import StoreError
from driftguard.model.schedule import SlotState
from driftguard.service.scheduler.calendar import Timetable
from driftguard.service.scheduler.events import Listener
from driftguard.service.scheduler.heard import Heard
from driftguard.service.scheduler.work import Scanner, Services
from driftguard.service.scheduler.worker import Work, Worker
from driftguard.settings.service import Schedule

log = logging.getLogger(__name__)


class _Starts(BaseTrigger):  # type: ignore[misc]  # APScheduler ships no types
    """A timetable as APScheduler asks for it."""

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        after = max(previous_fire_time, now) if previous_fire_time else now
        following = self._timetable.next(after.astimezone(UTC), 1)
        return following[0] if following else None


class Scheduler:
    """Schedules, workers and the clock of one process.  `start` it, and `stop` it in the end."""

    def __init__(self, services: Services, *, work: Work | None = None, owner: str = "") -> None:
        self._services = services
        self._settings = services.settings.service
        self.timetables = timetables(services.settings.service.schedules)
        self.owner = owner or f"{socket.gethostname()}:{os.getpid()}"
        self._clock = BackgroundScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        heard = Heard()
        job = work or Scanner(services, heard)
        self._workers = [
            Worker(services.store, f"{self.owner}/{number}", job, self._settings.lease, services.clock)
            for number in range(self._settings.lease.workers)
        ]
        self.listener = Listener(services, self._wake, heard) if self._settings.events.queue_url else None
        self.counts: dict[str, int] = {"missed": 0, "overlapping": 0, "errors": 0}
        """What APScheduler told of, for the metrics."""
        self._counting = threading.Lock()

    def start(self) -> None:
        """Look through the ledger once, then keep time.  Does not block."""
        for timetable in self.timetables.values():
            self._clock.add_job(self._ring, _Starts(timetable), args=[timetable], id=timetable.schedule.id)
        self._clock.add_job(
            self.reconcile,
            "interval",
            seconds=self._settings.lease.reconcile_seconds,
            id="reconcile",
            next_run_time=datetime.now(UTC),
        )
        self._clock.add_listener(self._heard, EVENT_JOB_MISSED | EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES)
        self._clock.start()
        for worker in self._workers:
            worker.start()
        if self.listener is not None:
            self.listener.start()

    def stop(self, timeout: float | None = 30) -> None:
        """Stop ringing and working; units under way are given back.  Waits at most ``timeout`` seconds."""
        if self._clock.running:
            self._clock.shutdown(wait=False)
        if self.listener is not None:
            self.listener.stop(0)
        threads = [
            threading.Thread(target=worker.stop, args=[timeout], daemon=True) for worker in self._workers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout)

    def reconcile(self) -> None:
        """Write down every slot that is due, wake the workers, send what waits to be sent."""
        for timetable in self.timetables.values():
            self._ring(timetable)
        self._wake()
        try:
            self._services.deliver()
        except StoreError as error:
            log.warning("the store does not answer", extra={"reason": str(error)})

    def next_starts(self) -> Mapping[str, datetime]:
        """When each schedule starts next (UTC)."""
        now = self._services.clock()
        return {
            name: following[0] for name, table in self.timetables.items() if (following := table.next(now, 1))
        }

    def _ring(self, timetable: Timetable) -> None:
        store, schedule = self._services.store, timetable.schedule
        try:
            # APScheduler rings a little early at times; the ledger goes by its own clock.
            now = store.clock(self._services.clock()) + timedelta(milliseconds=50)
            new = store.advance(schedule.id, now, timetable.slots)
        except StoreError as error:
            # Nothing is lost: the next ring goes on from the same horizon.
            log.warning("the store does not answer", extra={"reason": str(error)})
            return
        for slot in new:
            level = logging.WARNING if slot.state is SlotState.SKIPPED else logging.INFO
            log.log(
                level, "slot", extra={"schedule": slot.schedule, "slot": slot.key, "state": slot.state.value}
            )
        if any(slot.state is SlotState.DUE for slot in new):
            self._wake()

    def _wake(self) -> None:
        for worker in self._workers:
            worker.wake()

    def _heard(self, event: JobEvent) -> None:
        names = {EVENT_JOB_MISSED: "missed", EVENT_JOB_MAX_INSTANCES: "overlapping"}
        with self._counting:
            self.counts[names.get(event.code, "errors")] += 1


def timetables(schedules: Iterable[Schedule]) -> Mapping[str, Timetable]:
    """The timetable of every schedule that is switched on, by id.  Raises `ConfigError`."""
    return {schedule.id: Timetable(schedule) for schedule in schedules if schedule.enabled}
