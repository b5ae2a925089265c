"""Change calendars: GetCalendarState over iCalendar documents.

A calendar that is open by default is closed during its events, one that is closed by default is open during them
(user guide, "AWS Systems Manager Change Calendar"; the default stands in X-CALENDAR-TYPE). Events repeat by RRULE
with FREQ, INTERVAL, COUNT, UNTIL and BYDAY, which is what the console writes.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from driftguard.sandbox.core import ApiError, Context, Request, Response, operation
from driftguard.sandbox.ssm.documents import find

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_STEPS = {"DAILY": dt.timedelta(days=1), "WEEKLY": dt.timedelta(days=7)}
_HORIZON = dt.timedelta(days=400)
MAX_CALENDARS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One VEVENT."""

    start: dt.datetime
    end: dt.datetime
    rule: dict[str, str]

    def times(self, until: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """The event's occurrences that begin before `until`."""
        length = self.end - self.start
        if not self.rule:
            yield self.start, self.end
            return
        count = int(self.rule.get("COUNT", 100_000))
        last = _moment(self.rule["UNTIL"], None) if "UNTIL" in self.rule else until
        for start in self._starts(min(until, last)):
            if count <= 0:
                return
            count -= 1
            yield start, start + length

    def _starts(self, until: dt.datetime) -> Iterator[dt.datetime]:
        interval = int(self.rule.get("INTERVAL", 1))
        days = [_DAYS.index(day[-2:]) for day in self.rule.get("BYDAY", "").split(",") if day]
        frequency = self.rule["FREQ"]
        at, week = self.start, self.start - dt.timedelta(days=self.start.weekday())
        while at <= until:
            if frequency == "WEEKLY" and days:
                weeks = (at - week).days // 7
                if at.weekday() in days and weeks % interval == 0:
                    yield at
                at += dt.timedelta(days=1)
            elif frequency in _STEPS:
                yield at
                at += _STEPS[frequency] * interval
            else:
                yield at
                at = _months_later(at, interval * (12 if frequency == "YEARLY" else 1))


def _months_later(moment: dt.datetime, months: int) -> dt.datetime:
    month = moment.month - 1 + months
    year, month = moment.year + month // 12, month % 12 + 1
    for day in range(moment.day, 27, -1):
        try:
            return moment.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    return moment.replace(year=year, month=month, day=min(moment.day, 28))


def _moment(text: str, zone: str | None) -> dt.datetime:
    match = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?", text.strip())
    if not match:
        raise ApiError("InvalidDocument", f"The calendar has a time that is not valid: {text}")
    numbers = [int(part or 0) for part in match.groups()[:6]]
    tz: dt.tzinfo = dt.UTC
    if zone and not match[7]:
        try:
            tz = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ApiError("InvalidDocument", f"The calendar has an unknown time zone: {zone}") from error
    return dt.datetime(*numbers, tzinfo=tz)  # type: ignore[arg-type, misc]  # six integers


def read(text: str) -> tuple[bool, list[Event]]:
    """Whether a calendar is open by default, and its events."""
    lines = re.sub(r"\r?\n[ \t]", "", text).splitlines()
    default_open = True
    events: list[Event] = []
    current: dict[str, Any] | None = None
    for line in lines:
        name, _, value = line.partition(":")
        key, *options = name.split(";")
        zone = next((option.partition("=")[2] for option in options if option.startswith("TZID=")), None)
        if key == "X-CALENDAR-TYPE":
            default_open = value.strip() != "DEFAULT_CLOSED"
        elif line.strip() == "BEGIN:VEVENT":
            current = {}
        elif line.strip() == "END:VEVENT" and current is not None:
            if "start" in current:
                start = current["start"]
                parts = [part.partition("=") for part in current.get("rule", "").split(";") if "=" in part]
                rule = {key: value for key, _, value in parts}
                events.append(
                    Event(start=start, end=current.get("end", start + dt.timedelta(days=1)), rule=rule)
                )
            current = None
        elif current is not None and key in {"DTSTART", "DTEND"}:
            current["start" if key == "DTSTART" else "end"] = _moment(value, zone)
        elif current is not None and key == "RRULE":
            current["rule"] = value.strip()
    return default_open, events


def is_open(text: str, at: dt.datetime) -> bool:
    """Whether a calendar lets changes pass at an instant."""
    default_open, events = read(text)
    inside = any(start <= at < end for event in events for start, end in event.times(at))
    return default_open != inside


def _edges(text: str, after: dt.datetime) -> list[dt.datetime]:
    _, events = read(text)
    found = {edge for event in events for times in event.times(after + _HORIZON) for edge in times}
    return sorted(edge for edge in found if edge > after)


@operation("ssm", "GetCalendarState")
def calendar_state(context: Context, request: Request) -> Response:
    """OPEN where all named calendars are open at a moment, and when that changes next."""
    names = request["CalendarNames"]
    if not 1 <= len(names) <= MAX_CALENDARS:
        raise ApiError(
            "UnsupportedCalendarException", f"Between 1 and {MAX_CALENDARS} calendars can be asked for."
        )
    texts = []
    for name in names:
        document = find(context, name)
        if document.kind != "ChangeCalendar":
            raise ApiError("InvalidDocumentType", f"The document {document.name} is no change calendar.")
        texts.append(document.version(None).content)
    at = context.clock.now()
    if given := request.get("AtTime"):
        try:
            at = dt.datetime.fromisoformat(given.replace("Z", "+00:00"))
        except ValueError as error:
            raise ApiError("ValidationException", "AtTime must be in the format of ISO 8601.") from error
    state = all(is_open(text, at) for text in texts)
    edges = sorted(edge for text in texts for edge in _edges(text, at))
    change = next((edge for edge in edges if all(is_open(text, edge) for text in texts) != state), None)
    out: Response = {"State": "OPEN" if state else "CLOSED", "AtTime": at.strftime("%Y-%m-%dT%H:%M:%SZ")}
    if change:
        out["NextTransitionTime"] = change.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return out
