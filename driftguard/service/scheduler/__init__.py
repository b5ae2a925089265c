"""What runs when: APScheduler as the alarm clock, a ledger of slots and units in the store as the truth."""

from driftguard.service.scheduler.calendar import Timetable
from driftguard.service.scheduler.scheduler import Scheduler, timetables
from driftguard.service.scheduler.work import Services, run_slot

__all__ = ["Scheduler", "Services", "Timetable", "run_slot", "start_scheduler", "timetables"]


def start_scheduler(services: Services) -> Scheduler:
    """Start the schedules and workers of the settings in this process; `Scheduler.stop` ends them.

    ``services`` is the composition root (`driftguard.wiring.Wiring`).  Raises `ConfigError` for a schedule
    that makes no sense.
    """
    scheduler = Scheduler(services)
    scheduler.start()
    return scheduler
