"""CloudTrail is asked as little as will do: what happened lately answers most questions at once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, cast

import pytest

from driftguard.aws import Aws
from driftguard.model import DifferenceType, Drift, DriftStatus, PropertyDifference
from driftguard.scan.trail import Question, ask
from tests.history_values import ACCOUNT, key, night
from tests.trail import Trail


def event(queue: str, hours: float) -> dict[str, Any]:
    request = {"queueUrl": queue, "attributes": {"VisibilityTimeout": "60"}}
    record = {
        "userIdentity": {"arn": f"arn:aws:iam::{ACCOUNT}:user/of-{queue}"},
        "requestParameters": request,
    }
    return {
        "EventId": f"{queue}-{hours}",
        "EventName": "SetQueueAttributes",
        "EventTime": night(1) - timedelta(hours=hours),
        "CloudTrailEvent": json.dumps(record),
    }


def question(queue: str, hours: float = 24) -> Question:
    slower = PropertyDifference(
        path="/VisibilityTimeout", expected=30, actual=60, type=DifferenceType.NOT_EQUAL
    )
    return Question(
        drift=Drift(
            key=key(queue, "AWS::SQS::Queue"),
            status=DriftStatus.MODIFIED,
            physical_id=queue,
            differences=(slower,),
        ),
        since=night(1) - timedelta(hours=hours),
    )


def answers(trail: Trail, *questions: Question) -> dict[str, str | None]:
    found = ask(cast(Aws, trail), questions, [(ACCOUNT, "us-east-1")], lambda: False)
    return {
        one.physical_id: one.changed_by.principal.rpartition("/")[2] if one.changed_by else None
        for one in found
    }


MANY = [f"q{number}" for number in range(12)]


def test_many_questions_are_answered_by_one_look_at_what_happened_lately() -> None:
    trail = Trail([event(name, 2) for name in MANY])
    assert answers(trail, *map(question, MANY)) == {name: f"of-{name}" for name in MANY}
    assert trail.asked == ["false"]


def test_what_is_not_among_all_events_since_needs_no_call_of_its_own() -> None:
    trail = Trail([event(name, 2) for name in MANY[1:]])
    assert answers(trail, *map(question, MANY))["q0"] is None
    assert trail.asked == ["false"]


def test_on_a_busy_account_the_names_are_asked_for_beyond_what_was_read() -> None:
    noise = [event("elsewhere", 1 + number / 1000) for number in range(900)]
    trail = Trail([*noise, event("q0", 20)])
    found = answers(trail, question("q0"), question("q1"), question("q2", 1), question("q3", 1))
    assert found == {"q0": "of-q0", "q1": None, "q2": None, "q3": None}
    # The two hundred newest events reach back to 1.2 hours ago: for q2 and q3 they are all there is.
    assert trail.asked == ["false", "q0", "q1"]


def test_few_questions_ask_for_their_names() -> None:
    trail = Trail([event("q0", 2)])
    assert answers(trail, question("q0")) == {"q0": "of-q0"}
    assert trail.asked == ["q0"]


@pytest.mark.parametrize("names", [MANY, MANY[:1]], ids=["many", "few"])
def test_a_refusing_trail_names_nobody_and_breaks_nothing(names: list[str]) -> None:
    trail = Trail([], broken=True)
    assert answers(trail, *map(question, names)) == {}
    assert trail.asked
