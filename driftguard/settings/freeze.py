"""A time in which something is left alone: a schedule does not start, nothing is changed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from driftguard.settings.base import Section

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name}") from None
    return name


Zone = Annotated[str, AfterValidator(_zone)]
"""A name of the time zone database, as Asia/Seoul."""


class Freeze(Section):
    """A time in which nothing is done: either from an instant to another, or every week."""

    reason: str = Field(description="Why; it stands beside everything that was held back.")
    start: datetime | None = Field(None, description="From this instant on (with an offset, or UTC).")
    end: datetime | None = Field(None, description="Until this instant (exclusive).")
    days: tuple[_Weekday, ...] = Field((), description="Weekdays on which a weekly window begins.")
    from_time: str = Field(
        "00:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="Local time at which it begins."
    )
    to_time: str = Field(
        "24:00",
        pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$",
        description="Local time at which it ends; earlier than `from_time`: on the next day.",
    )
    timezone: Zone | None = Field(
        None, description="The zone of the local times; empty: the schedule's own, or UTC."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Freeze:
        dated = self.start is not None and self.end is not None
        if dated == bool(self.days) or (self.start is None) != (self.end is None):
            raise ValueError("give either start and end, or days")
        if self.start is not None and self.end is not None and _aware(self.end) <= _aware(self.start):
            raise ValueError("it ends before it starts")
        return self

    def covers(self, instant: datetime, zone: ZoneInfo | None = None) -> bool:
        """Whether ``instant`` falls into it; weekly times are local to its own zone, else to ``zone`` or UTC."""
        if self.start is not None and self.end is not None:
            return _aware(self.start) <= instant < _aware(self.end)
        local = instant.astimezone(ZoneInfo(self.timezone) if self.timezone else zone or UTC)
        opens, closes = time.fromisoformat(self.from_time), self.to_time
        today, yesterday = (local - timedelta(days=back) for back in (0, 1))
        begins_today = _DAYS[today.weekday()] in self.days
        begun_yesterday = _DAYS[yesterday.weekday()] in self.days
        clock = local.time().replace(tzinfo=None)
        if closes == "24:00":
            return begins_today and clock >= opens
        ends = time.fromisoformat(closes)
        if ends > opens:
            return begins_today and opens <= clock < ends
        return (begins_today and clock >= opens) or (begun_yesterday and clock < ends)

    @property
    def until(self) -> str:
        """When it ends, for a person."""
        if self.end is not None:
            return f"{_aware(self.end):%Y-%m-%d %H:%M %Z}"
        return f"{self.to_time} {self.timezone or 'UTC'}"


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
