"""From a schedule's settings to its slots: when, under which key, and which are passed over.  Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from driftguard.errors import ConfigError
from driftguard.model.schedule import Slot, SlotState
from driftguard.service.scheduler.cron import Cron, parse_cron
from driftguard.settings.service import Schedule

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_MOST_SLOTS = 10_000
"""Of a standstill longer than this many slots, only the newest are written down one by one."""


@dataclass(frozen=True)
class Timetable:
    """When a schedule starts.  Raises `ConfigError` when its settings make no sense."""

    schedule: Schedule

    def __post_init__(self) -> None:
        if not self.next(datetime.now(UTC), 1):
            raise ConfigError(
                f"schedule `{self.schedule.id}` never starts (`{self.schedule.cron}`).",
                fix="Correct its day.",
            )

    @cached_property
    def zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.schedule.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ConfigError(
                f"schedule `{self.schedule.id}`: there is no time zone {self.schedule.timezone}.",
                fix="Use a name like Asia/Seoul or UTC.",
            ) from None

    @cached_property
    def cron(self) -> Cron | None:
        """The parsed expression; ``None`` for an interval."""
        if self.schedule.cron is None:
            return None
        try:
            return parse_cron(self.schedule.cron, self.zone)
        except ConfigError as error:
            raise ConfigError(f"schedule `{self.schedule.id}`: {error.message}", fix=error.fix) from None

    @cached_property
    def interval(self) -> timedelta:
        """The length of ``every``."""
        text = self.schedule.every or "1d"
        seconds = int(text[:-1]) * _UNITS[text[-1]]
        if seconds < 1:
            raise ConfigError(f"schedule `{self.schedule.id}`: an interval of 0 never ends.", fix="Write 1h.")
        return timedelta(seconds=seconds)

    @cached_property
    def jitter(self) -> timedelta:
        """The delay of every start: the same on every node and after every restart."""
        digest = hashlib.sha256(self.schedule.id.encode()).digest()
        share = int.from_bytes(digest[:8], "big") / 2**64
        return timedelta(seconds=int(share * (self.schedule.jitter_seconds + 1)))

    def nominal(self, after: datetime) -> Iterator[datetime]:
        """The instants after ``after`` (UTC), without jitter, each wall-clock time once."""
        if self.cron is None:
            number = (after - _EPOCH) // self.interval
            while True:
                number += 1
                yield _EPOCH + number * self.interval
        # A day back, so that the second of two equal wall-clock times knows of the first.
        seen: str | None = None
        instant = after - timedelta(hours=26) if self.cron.wall_clock else after
        while True:
            found = self.cron.trigger.get_next_fire_time(None, instant + timedelta(microseconds=1))
            if found is None:
                return
            instant = found.astimezone(UTC)
            label = self._label(instant)
            if self.cron.wall_clock and seen is not None and label <= seen:
                continue
            seen = label
            if instant > after:
                yield instant

    def _label(self, instant: datetime) -> str:
        return instant.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M")

    def key(self, instant: datetime) -> str:
        """The slot's key: the clock on the wall for a schedule that names hours, the instant otherwise."""
        if self.cron is not None and self.cron.wall_clock:
            return f"{self._label(instant)} {self.schedule.timezone}"
        return instant.strftime("%Y-%m-%dT%H:%M:%SZ")

    def next(self, after: datetime, count: int) -> list[datetime]:
        """The next starts after ``after`` (UTC), jitter included."""
        found = []
        for instant in self.nominal(after - self.jitter):
            found.append(instant + self.jitter)
            if len(found) >= count:
                break
        return found

    def slots(self, after: datetime, until: datetime) -> Sequence[Slot]:
        """The slots after ``after`` until ``until``, oldest first.

        The newest one is due; what lies before it was missed and is passed over, each with its reason.
        """
        found: list[Slot] = []
        for instant in self.nominal(after - self.jitter):
            start = instant + self.jitter
            if start > until:
                break
            found.append(self._slot(instant, start, until))
            if len(found) > _MOST_SLOTS:
                del found[0]
        due = [slot for slot in found if slot.state is SlotState.DUE]
        newest = due[-1] if due else None
        return [
            slot
            if slot.state is not SlotState.DUE or slot is newest or newest is None
            else replace(slot, state=SlotState.SKIPPED, reason=f"missed; {newest.key} was run in its place")
            for slot in found
        ]

    def _slot(self, instant: datetime, start: datetime, now: datetime) -> Slot:
        schedule = self.schedule
        slot = Slot(
            schedule=schedule.id,
            key=self.key(instant),
            due_at=start,
            task={"max_attempts": schedule.max_attempts},
        )
        frozen = next((window for window in schedule.freeze if window.covers(start, self.zone)), None)
        if frozen is not None:
            return replace(slot, state=SlotState.SKIPPED, reason=f"frozen: {frozen.reason}")
        if schedule.missed == "report" and now - start > timedelta(seconds=schedule.grace_seconds):
            return replace(slot, state=SlotState.SKIPPED, reason=MISSED)
        return slot


MISSED = "missed: nothing was running then, and the schedule only reports it"
