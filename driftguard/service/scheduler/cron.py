"""Cron expressions as people write them, turned into an unambiguous APScheduler trigger.

APScheduler counts weekdays from Monday = 0 where cron counts from Sunday = 0 (and 7); numbers are turned
into names here, so that ``0 2 * * 1`` is Monday.  What would mean different things in different crons is
refused with the way to say it clearly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from driftguard.errors import ConfigError

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * sun",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_PART = re.compile(r"(?P<first>\*|[a-z0-9]+)(?:-(?P<last>[a-z0-9]+))?(?:/(?P<step>\d+))?")


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed expression.  ``wall_clock``: it names hours, so it means the clock on the wall."""

    trigger: CronTrigger
    wall_clock: bool


def parse_cron(expression: str, zone: ZoneInfo) -> Cron:
    """The trigger of a five-field expression.  Raises `ConfigError`, naming the field and the fix."""
    text = _NICKNAMES.get(expression.strip().lower(), expression).lower()
    fields = text.split()
    if len(fields) != 5:
        raise ConfigError(
            f"`{expression}` has {len(fields)} fields, and a cron expression has five.",
            fix="Write minute, hour, day of month, month, day of week: `0 2 * * mon-fri`.",
        )
    minute, hour, day, month, weekday = fields
    if day not in ("*", "?") and weekday not in ("*", "?"):
        raise ConfigError(
            f"`{expression}` names a day of the month and a day of the week; crons differ on what that means.",
            fix="Use two schedules, or one of the two fields.",
        )
    trigger = CronTrigger(
        minute=_numbers(minute, "minute", 0, 59, expression),
        hour=_numbers(hour, "hour", 0, 23, expression),
        day="last" if day == "l" else _numbers(day, "day of month", 1, 31, expression),
        month=_numbers(month, "month", 1, 12, expression, _MONTHS),
        day_of_week=_weekdays(weekday, expression),
        timezone=zone,
    )
    return Cron(trigger, wall_clock=not hour.startswith("*"))


def _numbers(
    field: str, name: str, lowest: int, highest: int, expression: str, names: tuple[str, ...] = ()
) -> str:
    if field in ("*", "?"):
        return "*"
    wanted: set[int] = set()
    for part in field.split(","):
        first, last, step = _span(part, name, expression)
        low = lowest if first == "*" else _value(first, name, lowest, highest, expression, names)
        high = low if last is None else _value(last, name, lowest, highest, expression, names)
        if first == "*" or (last is None and step is not None):
            high = highest
        if high < low:
            raise _wrong(expression, name, f"`{part}` ends before it begins", f"Write `{part}` as two parts.")
        wanted.update(range(low, high + 1, step or 1))
    return ",".join(map(str, sorted(wanted)))


def _weekdays(field: str, expression: str) -> str:
    if field in ("*", "?"):
        return "*"
    wanted: set[int] = set()
    for part in field.split(","):
        first, last, step = _span(part, "day of week", expression)
        low = 0 if first == "*" else _value(first, "day of week", 0, 7, expression, _DAYS, base=0)
        high = low if last is None else _value(last, "day of week", 0, 7, expression, _DAYS, base=0)
        if first == "*" or (last is None and step is not None):
            high = 6
        if high < low:
            high += 7  # fri-mon goes over the end of the week
        wanted.update(day % 7 for day in range(low, high + 1, step or 1))
    return ",".join(_DAYS[day] for day in sorted(wanted))


def _span(part: str, name: str, expression: str) -> tuple[str, str | None, int | None]:
    match = _PART.fullmatch(part)
    if match is None:
        raise _wrong(expression, name, f"`{part}` is not understood", "Write 5, 1-5, */10 or 1,15.")
    step = int(match["step"]) if match["step"] else None
    if step == 0:
        raise _wrong(expression, name, "a step of 0 never ends", "Write */1 or more.")
    return match["first"], match["last"], step


def _value(
    text: str,
    name: str,
    lowest: int,
    highest: int,
    expression: str,
    names: tuple[str, ...] = (),
    base: int = 1,
) -> int:
    if text.isdigit():
        value = int(text)
    elif text[:3] in names and len(text) >= 3:
        value = names.index(text[:3]) + base
    else:
        raise _wrong(expression, name, f"`{text}` is not understood", "Use numbers or English names.")
    if not lowest <= value <= highest:
        raise _wrong(expression, name, f"{value} is out of range", f"Use {lowest} to {highest}.")
    return value


def _wrong(expression: str, name: str, problem: str, fix: str) -> ConfigError:
    return ConfigError(f"the {name} of `{expression}`: {problem}.", fix=fix)
