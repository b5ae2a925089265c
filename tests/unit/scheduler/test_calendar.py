from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from driftguard.errors import ConfigError
from driftguard.model.schedule import SlotState
from driftguard.service.scheduler.calendar import Timetable
from driftguard.settings.service import Schedule

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases/scheduler/slots.yaml").read_text())


def table(**fields: Any) -> Timetable:
    return Timetable(Schedule.model_validate({"id": "night", **fields}))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_slots(case: dict[str, Any]) -> None:
    after, until = (
        datetime.fromisoformat(str(case[name])).replace(tzinfo=UTC) for name in ("after", "until")
    )
    found = table(**case["schedule"]).slots(after, until)
    assert [f"{s.key} = {s.due_at:%Y-%m-%dT%H:%M} {s.state}" for s in found] == case["slots"]
    assert all(slot.reason for slot in found if slot.state is SlotState.SKIPPED)


@pytest.mark.parametrize(
    ("cron", "word"),
    [
        ("0 2 * *", "five"),
        ("0 24 * * *", "hour"),
        ("61 * * * *", "minute"),
        ("0 2 1 * mon", "day of the week"),
        ("0 2 * * funday", "day of week"),
        ("*/0 * * * *", "step of 0"),
        ("0 2 30 2 *", "never"),
        ("0 5-2 * * *", "ends before"),
        ("0 2 * * 8", "out of range"),
    ],
)
def test_a_wrong_expression_says_what_is_wrong(cron: str, word: str) -> None:
    with pytest.raises(ConfigError, match=word) as caught:
        table(cron=cron)
    assert caught.value.fix


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="Asia/Soul"):
        table(cron="0 2 * * *", timezone="Asia/Soul")


def test_jitter_is_the_same_everywhere_and_differs_between_schedules() -> None:
    names = ("a", "b", "c", "d")
    delays = [Timetable(Schedule(id=name, cron="0 2 * * *", jitter_seconds=3600)).jitter for name in names]
    assert delays == [Timetable(Schedule(id=n, cron="0 2 * * *", jitter_seconds=3600)).jitter for n in names]
    assert len(set(delays)) > 1
    assert all(timedelta() <= delay <= timedelta(hours=1) for delay in delays)


_MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


@settings(max_examples=40, deadline=None)
@given(
    start=_MOMENTS,
    cuts=st.lists(st.integers(1, 5 * 24 * 60), min_size=1, max_size=6),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Seoul", "Australia/Lord_Howe"]),
    cron=st.sampled_from(["30 2 * * *", "0 1,2,3 * * *", "15 * * * *", "*/20 2 * * sun"]),
)
def test_however_time_is_cut_every_slot_comes_once(
    start: datetime, cuts: list[int], zone: str, cron: str
) -> None:
    timetable = table(cron=cron, timezone=zone, jitter_seconds=120)
    end = start + timedelta(minutes=sum(cuts))
    whole = [slot.key for slot in timetable.slots(start, end)]
    parts, at = [], start
    for cut in cuts:
        parts += [slot.key for slot in timetable.slots(at, at + timedelta(minutes=cut))]
        at += timedelta(minutes=cut)
    assert parts == whole
    assert len(set(whole)) == len(whole)
