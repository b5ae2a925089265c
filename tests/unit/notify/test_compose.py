from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from driftguard.model import Severity, StackState
from driftguard.model.notice import Transition
from driftguard.model.schedule import Slot, SlotState
from driftguard.notify.compose import Composer
from driftguard.notify.words import document, lines, title
from driftguard.settings.notify import NotifySettings
from tests.history_values import ACCOUNT, finding, report, snapshot

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
CHANNELS = [
    {"name": "ops", "kind": "slack", "url_env": "A"},
    {"name": "audit", "kind": "slack", "url_env": "B"},
]


def settings(*routes: dict[str, Any], **more: Any) -> NotifySettings:
    return NotifySettings.model_validate({"channels": CHANNELS, "routes": list(routes), **more})


def night(**more: Any) -> Any:
    fresh, old = finding("fresh", severity=Severity.HIGH), finding("old", severity=Severity.CRITICAL)
    gone = finding("gone", severity=Severity.LOW)
    return report(1, findings=(fresh, old), resolved=(gone,), new=frozenset({fresh.fingerprint}), **more)


def told(found: Any) -> list[tuple[str, str, str]]:
    return sorted(
        (one.channel, notice.transition.value, notice.finding.key.identifier)
        for one in found
        for notice in one.message.notices
    )


def test_only_transitions_are_told() -> None:
    found = Composer(settings=settings({"channels": ["ops"]})).deliveries(night(), snapshot(1), NOW)
    assert told(found) == [("ops", "new", "fresh"), ("ops", "resolved", "gone")]
    quiet = report(2, findings=(finding("old"),))
    assert Composer(settings=settings({"channels": ["ops"]})).deliveries(quiet, snapshot(2), NOW) == ()


def test_a_finding_goes_to_a_channel_once_however_many_routes_name_it() -> None:
    routes = settings({"channels": ["ops"], "severity": "HIGH"}, {"channels": ["ops", "audit"]})
    found = Composer(settings=routes).deliveries(night(), snapshot(1), NOW)
    assert told(found).count(("ops", "new", "fresh")) == 1
    assert ("audit", "new", "fresh") in told(found)


def test_a_korean_channel_reads_what_the_finding_is_called_in_korean() -> None:
    composer = Composer(
        settings=settings({"channels": ["ops"]}),
        causes=lambda report: {one.fingerprint: one.title for one in report.findings},
        title_ko=lambda finding, report: f"{finding.key.identifier} 드리프트",
    )
    messages = [one.message for one in composer.deliveries(night(), snapshot(1), NOW)]
    fresh = next(one for one in messages if one.notices[0].finding.key.identifier == "fresh")
    english = fresh.notices[0].finding.title
    assert english in title(fresh, "en") and english in "".join(lines(fresh, "en"))
    korean = title(fresh, "ko") + "".join(lines(fresh, "ko"))
    assert korean.count("fresh 드리프트") == 2 and english not in korean
    assert document(fresh, "ko")["findings"] == document(fresh, "en")["findings"], "machines read one form"


def test_the_same_run_gives_the_same_ids() -> None:
    composer = Composer(settings=settings({"channels": ["ops"]}))
    first, again = (composer.deliveries(night(), snapshot(1), NOW) for _ in range(2))
    assert [one.id for one in first] == [one.id for one in again]


@pytest.mark.parametrize(
    ("route", "told_of"),
    [
        ({"severity": "CRITICAL"}, []),
        ({"accounts": [ACCOUNT[:3] + "*"]}, ["fresh", "gone"]),
        ({"accounts": ["999999999999"]}, []),
        ({"transitions": ["resolved"]}, ["gone"]),
        ({"kinds": ["COMPLIANCE"]}, []),
        ({"tags": ["team=shop"]}, ["fresh", "gone"]),
        ({"tags": ["team=else"]}, []),
        ({"owners": ["nobody"]}, []),
    ],
)
def test_routes(route: dict[str, Any], told_of: list[str]) -> None:
    one = finding("fresh")
    stack = StackState(
        account=one.key.account,
        region=one.key.region,
        stack_id="s",
        name=one.stack,
        status="",
        tags={"team": "shop"},
    )
    found = Composer(settings=settings({"channels": ["ops"], **route})).deliveries(
        night(stacks=(stack,)), snapshot(1), NOW
    )
    assert [name for _, _, name in told(found)] == told_of


def test_quiet_hours_hold_back_all_but_the_worst() -> None:
    quiet = {"from_time": "22:00", "to_time": "07:00", "timezone": "Asia/Seoul", "except_severity": "HIGH"}
    late = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)  # midnight in Seoul
    found = Composer(settings=settings({"channels": ["ops"], "quiet_hours": quiet})).deliveries(
        night(), snapshot(1), late
    )
    at = {n.transition: one.not_before for one in found for n in one.message.notices}
    assert at == {Transition.NEW: late, Transition.RESOLVED: datetime(2026, 11, 21, 22, 0, tzinfo=UTC)}


def test_a_digest_waits_for_its_hour() -> None:
    route = {"channels": ["ops"], "mode": "digest", "digest_at": "09:00", "timezone": "Asia/Seoul"}
    (one,) = Composer(settings=settings(route)).deliveries(night(), snapshot(1), NOW)
    assert one.digest
    assert one.not_before == datetime(2026, 11, 22, 0, 0, tzinfo=UTC)


def test_what_one_act_explains_is_one_message() -> None:
    listed = tuple(finding(f"b{n}") for n in range(5))
    new = frozenset(one.fingerprint for one in listed)
    composer = Composer(
        settings=settings({"channels": ["ops"]}),
        causes=lambda report: {one.fingerprint: "mallory at noon" for one in listed[:4]},
    )
    found = composer.deliveries(report(1, findings=listed, new=new), snapshot(1), NOW)
    assert sorted((one.message.cause, len(one.message.notices)) for one in found) == [
        ("", 1),
        ("mallory at noon", 4),
    ]


def test_a_missed_night_is_told_and_a_freeze_is_not() -> None:
    composer = Composer(settings=settings({"channels": ["ops"]}, failures=["audit"]))

    def said(state: SlotState, reason: str) -> list[str]:
        slot = Slot(schedule="night", key="k", due_at=NOW, state=state, reason=reason)
        return [one.channel for one in composer.of_slot(slot, NOW)]

    assert said(SlotState.SKIPPED, "missed: nothing was running then") == ["audit"]
    assert said(SlotState.FAILED, "1 of its units was given up") == ["audit"]
    assert said(SlotState.SKIPPED, "frozen: year end") == []
    assert said(SlotState.DONE, "") == []
    failed = Slot(schedule="night", key="k", due_at=NOW, state=SlotState.FAILED, reason="given up")
    [told] = composer.of_slot(failed, NOW)
    assert (title(told.message, "en"), title(told.message, "ko")) == (
        "Schedule night failed (k)",
        "예약 night 실패 (k)",
    )
