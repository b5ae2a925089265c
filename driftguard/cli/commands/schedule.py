"""What runs when: the next starts, what became of the last ones, and one more now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.output import output_option, print_json
from driftguard.errors import InputError

if TYPE_CHECKING:
    from driftguard.history.port import Store
    from driftguard.service.scheduler import Timetable


@click.group("schedule", help=__doc__)
def command() -> None:
    pass


@command.command("show")
@click.option("--next", "count", default=5, show_default=True, help="How many starts to show of each.")
@output_option()
@pass_app
def show(app: App, count: int, output: str) -> int:
    """The next starts of every schedule, and its last slots."""
    from driftguard.service.scheduler import timetables
    from driftguard.wiring import Wiring

    tables = timetables(app.settings.service.schedules)
    with Wiring(app.settings) as wiring:
        rows = [_row(table, wiring.store, count) for table in tables.values()]
    if output == "json":
        print_json({"schedules": rows})
        return 0
    if not rows:
        click.echo("No schedule is set. Put one under `service.schedules` in config.yaml.")
    for row in rows:
        click.echo(f"{row['id']}  {row['when']}  ({row['timezone']})")
        for start in row["next"]:
            click.echo(f"  next   {start['local']}   {start['utc']}")
        for slot in row["last"]:
            click.echo(f"  {slot['state'].lower():<7}{slot['slot']}   {slot['reason']}".rstrip())
    return 0


@command.command("run")
@click.argument("schedule")
@pass_app
def run_now(app: App, schedule: str) -> int:
    """Start SCHEDULE once now, here, beside its own times."""
    from driftguard.cli.interrupt import stoppable
    from driftguard.model.schedule import Slot
    from driftguard.service.scheduler import run_slot, timetables
    from driftguard.wiring import Wiring

    tables = timetables(app.settings.service.schedules)
    if schedule not in tables:
        raise InputError(
            f"there is no schedule `{schedule}`.", fix=f"There are: {', '.join(sorted(tables)) or 'none'}."
        )
    with Wiring(app.settings) as wiring, stoppable() as stopped:
        now = wiring.store.clock(wiring.clock())
        slot = Slot(schedule=schedule, key=f"by hand {now:%Y-%m-%dT%H:%M:%S.%fZ}", due_at=now)
        wiring.store.audit(wiring.actor, "schedule.run", schedule, {"slot": slot.key})
        units = run_slot(wiring, slot, stopped.is_set)
    for unit in units:
        place = f"{unit.account or 'everything'} {unit.region}".strip()
        click.echo(f"{place}: {unit.state.lower()} {unit.run_id or unit.error}")
    return 0 if all(unit.state == "DONE" for unit in units) else 2


def _row(table: Timetable, store: Store, count: int) -> dict[str, Any]:
    schedule = table.schedule
    now = datetime.now(UTC)
    return {
        "id": schedule.id,
        "when": schedule.cron or f"every {schedule.every}",
        "timezone": schedule.timezone,
        "next": [
            {
                "utc": f"{start:%Y-%m-%dT%H:%M:%SZ}",
                "local": f"{start.astimezone(table.zone):%a %Y-%m-%d %H:%M:%S %Z}",
            }
            for start in table.next(now, count)
        ],
        "last": [
            {"slot": slot.key, "state": slot.state.value, "reason": slot.reason}
            for slot in store.slots(schedule.id, limit=count)
        ],
    }
