"""Each change is blamed on the event that made it, and the trail is asked about what is not known only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from driftguard.aws import Aws
from driftguard.history.faults import of_drift
from driftguard.model import (
    ChangedBy,
    DifferenceType,
    Drift,
    DriftStatus,
    Finding,
    FindingKind,
    FindingStatus,
    PropertyDifference,
    Resource,
    Source,
    fingerprint,
)
from driftguard.scan.blame import blame
from driftguard.scan.readings import Memory, Readings
from tests.history_values import ACCOUNT, drift, finding, key, night, resource, snapshot
from tests.trail import Trail

QUEUE = key("orders", "AWS::SQS::Queue")


def event(name: str, who: str, hours: float, request: Mapping[str, Any]) -> dict[str, Any]:
    record = {
        "userIdentity": {"arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/ops/{who}"},
        "userAgent": "aws-cli/2.17.40",
        "requestParameters": {"queueUrl": "orders", **request},
    }
    when = night(1) - timedelta(hours=hours)
    return {"EventId": name, "EventName": name, "EventTime": when, "CloudTrailEvent": json.dumps(record)}


TIMEOUT = PropertyDifference(path="/VisibilityTimeout", expected=30, actual=60, type=DifferenceType.NOT_EQUAL)
DELAY = PropertyDifference(path="/DelaySeconds", expected=0, actual=5, type=DifferenceType.NOT_EQUAL)
BOTH = drift("orders", key=QUEUE, differences=(TIMEOUT, DELAY))
SLOWED = event("SetQueueAttributes", "kim", 5, {"attributes": {"VisibilityTimeout": "60"}})
DELAYED = event("SetQueueAttributes2", "lee", 2, {"attributes": {"DelaySeconds": "5"}})


def ask(trail: Trail, one: Drift, *findings: Finding, live: Resource | None = None) -> Drift:
    seen = snapshot(1, live or resource("orders", key=QUEUE))
    readings = Readings(declared=(), snapshot=seen, covered=frozenset({(ACCOUNT, "us-east-1")}))
    [found] = blame(cast(Aws, trail), [one], readings, Memory(findings=findings), lambda: False)
    return found


def sessions(one: Drift) -> dict[str, str]:
    return {path: by.session for path, by in one.acts.items()}


def test_two_changes_of_two_people_are_two_names() -> None:
    found = ask(Trail([DELAYED, SLOWED]), BOTH)
    assert sessions(found) == {"/VisibilityTimeout": "kim", "/DelaySeconds": "lee"}
    assert found.changed_by is not None


def test_what_one_change_explains_is_not_guessed_for_another() -> None:
    assert sessions(ask(Trail([SLOWED]), BOTH)) == {"/VisibilityTimeout": "kim"}


def known(path: str, first: float, by: ChangedBy | None) -> Finding:
    name = fingerprint(FindingKind.DRIFT, QUEUE, path)
    return finding("orders", path, key=QUEUE, fingerprint=name, changed_by=by, first_seen=night(first))


KIM = ChangedBy(principal="kim", event="X", time=night(0), source="CLI", session="kim")


def test_a_name_is_kept_and_a_new_change_is_asked_about() -> None:
    old = known("/VisibilityTimeout", -30, KIM)
    trail = Trail([DELAYED])
    found = ask(trail, BOTH, old)
    assert sessions(found) == {"/VisibilityTimeout": "kim", "/DelaySeconds": "lee"}
    quiet = Trail([DELAYED])
    assert sessions(ask(quiet, drift("orders", key=QUEUE, differences=(TIMEOUT,)), old)) == {
        "/VisibilityTimeout": "kim"
    }
    assert trail.asked and not quiet.asked


def test_an_old_change_that_nobody_was_found_for_is_not_asked_about_every_night() -> None:
    one = drift("orders", key=QUEUE, differences=(TIMEOUT,))
    late, old = Trail([SLOWED]), Trail([SLOWED])
    assert sessions(ask(late, one, known("/VisibilityTimeout", 0, None)))
    assert not ask(old, one, known("/VisibilityTimeout", -30, None)).acts
    assert late.asked and not old.asked


def test_a_resource_older_than_the_trail_is_not_asked_about() -> None:
    stranger = Drift(key=QUEUE, status=DriftStatus.UNMANAGED, physical_id="orders")
    made = event("CreateQueue", "kim", 5, {"queueName": "orders"})
    trail = Trail([made])
    assert sessions(ask(trail, stranger)) == {"": "kim"}
    ancient = Resource(key=QUEUE, properties={}, source=Source.CONFIG, created_at=night(-400))
    silent = Trail([made])
    assert not ask(silent, stranger, live=ancient).acts and not silent.asked


def test_who_did_it_before_it_was_put_right_is_not_blamed_for_it_again() -> None:
    """A scan saw it right again, by whatever way: nothing before that made it wrong now."""
    one = drift("orders", key=QUEUE, differences=(TIMEOUT,))
    over = replace(
        known("/VisibilityTimeout", -9, KIM),
        status=FindingStatus.RESOLVED,
        resolved_at=night(1) - timedelta(hours=4),
    )
    assert sessions(ask(Trail([SLOWED]), one)) == {"/VisibilityTimeout": "kim"}
    assert sessions(ask(Trail([SLOWED]), one, over)) == {}
    again = event("SetQueueAttributes", "park", 1, {"attributes": {"VisibilityTimeout": "60"}}) | {
        "EventId": "again"
    }
    assert sessions(ask(Trail([again, SLOWED]), one, over)) == {"/VisibilityTimeout": "park"}


def test_what_was_over_is_no_bound_for_what_is_new() -> None:
    over = replace(
        known("/VisibilityTimeout", -9, KIM),
        status=FindingStatus.RESOLVED,
        resolved_at=night(1) - timedelta(hours=1),
    )
    assert sessions(ask(Trail([DELAYED, SLOWED]), BOTH, over)) == {"/DelaySeconds": "lee"}


def test_a_change_just_before_a_scan_that_aws_config_had_not_told_of_is_found() -> None:
    one = drift("orders", key=QUEUE, differences=(TIMEOUT,))
    seen = night(1) - timedelta(hours=5) + timedelta(minutes=5)
    over = replace(known("/VisibilityTimeout", -9, KIM), status=FindingStatus.RESOLVED, resolved_at=seen)
    assert sessions(ask(Trail([SLOWED]), one, over)) == {"/VisibilityTimeout": "kim"}
    read = replace(resource("orders", key=QUEUE), source=Source.CLOUD_CONTROL)
    assert sessions(ask(Trail([SLOWED]), one, over, live=read)) == {}


def test_who_changes_a_wrong_value_again_takes_the_name_over() -> None:
    one = drift("orders", key=QUEUE, differences=(TIMEOUT,))
    [now] = of_drift(one, None, night(1), "")
    same = replace(
        known("/VisibilityTimeout", -9, KIM),
        detail=now.finding.detail,
        last_seen=night(1) - timedelta(hours=4),
    )
    other = replace(same, detail=now.finding.detail.replace(":60", ":99"))
    again = event("SetQueueAttributes", "park", 1, {"attributes": {"VisibilityTimeout": "60"}}) | {
        "EventId": "again"
    }
    assert sessions(ask(Trail([again, SLOWED]), one, same)) == {"/VisibilityTimeout": "kim"}
    assert sessions(ask(Trail([again, SLOWED]), one, other)) == {"/VisibilityTimeout": "park"}
    assert sessions(ask(Trail([SLOWED]), one, other)) == {}, "what kim did was before the value was another"
