"""The night does what its script says, and nothing else."""

from __future__ import annotations

import re

import pytest
from botocore.exceptions import ClientError

from driftguard.sandbox.estate import Expected, expected_report
from driftguard.sandbox.estate.night import script
from driftguard.sandbox.estate.plan import estate
from tests.integration.estate.conftest import Pictures, unmanaged
from tests.integration.estate.test_estate import LIES

# What CloudFormation itself calls drift and a better report does not: the values that a deployment and
# autoscaling move on purpose.
GOVERNED = {
    ("shop-prod/Service", "ProductionListener"): {"/DefaultActions/*/TargetGroupArn"},
    ("shop-prod/Service", "TestListener"): {"/DefaultActions/*/TargetGroupArn"},
    ("shop-prod/Service", "HelloRule"): {"/Actions/*/TargetGroupArn"},
    ("shop-prod/Service", "Service"): {"/DesiredCount"},
    ("shop-prod/Data", "CartTable"): {"/ProvisionedThroughput/ReadCapacityUnits"},
    ("shop-prod-fleet", "Workers"): {"/DesiredCapacity"},
}


def normal(path: str) -> str:
    return re.sub(r"/\d+(?=/|$)", "/*", path)


def test_drift_appears_just_where_it_was_caused(pictures: Pictures) -> None:
    expected = {
        (e.account, e.stack, e.logical_id): (e.status, {path for path, _ in e.differences})
        for e in expected_report().drifts
    }
    for (stack, logical_id), paths in GOVERNED.items():
        status, known = expected.get((estate().account("production"), stack, logical_id), ("MODIFIED", set()))
        expected[(estate().account("production"), stack, logical_id)] = (status, known | paths)
    seen = {
        (place[0], place[2], place[3]): (
            drift["StackResourceDriftStatus"],
            {normal(d["PropertyPath"]) for d in drift.get("PropertyDifferences", ())},
        )
        for place, drift in pictures.after.items()
        if drift["StackResourceDriftStatus"] in ("MODIFIED", "DELETED")
        and (drift["ResourceType"], place[3]) not in LIES
    }
    assert seen == expected


def test_differences_have_the_types_that_the_script_expects(pictures: Pictures) -> None:
    for expected in expected_report().drifts:
        drift = next(
            d
            for place, d in pictures.after.items()
            if (place[0], place[2], place[3]) == (expected.account, expected.stack, expected.logical_id)
            and expected.region in (place[1], "global")
        )
        types = {normal(d["PropertyPath"]): d["DifferenceType"] for d in drift.get("PropertyDifferences", ())}
        assert drift["ResourceType"] == expected.type
        assert {path: types[path] for path, _ in expected.differences} == dict(expected.differences)


def test_undeclared_values_change_and_cloudformation_does_not_see_it(pictures: Pictures) -> None:
    paths = {path for e in expected_report().undeclared for path, _ in e.differences}
    assert paths == set(pictures.live_before)
    for path in paths:
        assert pictures.live_before[path] != pictures.live_after[path]


def test_only_what_was_made_by_hand_is_unmanaged(pictures: Pictures) -> None:
    rules = pictures.sandbox.faults.rules[:]
    pictures.sandbox.faults.rules.clear()
    try:
        found = unmanaged(pictures.sandbox)
    finally:
        pictures.sandbox.faults.rules.extend(rules)
    expected = {(e.type, e.identifier) for e in expected_report().unmanaged}
    # A new revision of a family that a stack declares is no stranger.
    revisions = {(t, i) for t, i in found if t == "AWS::ECS::TaskDefinition" and "/shop-prod:" in i}
    assert len(revisions) == 1
    assert found - revisions == expected


def test_before_the_night_nothing_is_unmanaged(pictures: Pictures) -> None:
    assert pictures.unmanaged_before == set()


def test_the_closed_region_denies_and_the_rest_answers(pictures: Pictures) -> None:
    gap: Expected = next(e for e in expected_report().gaps if e.reason == "ACCESS_DENIED")
    closed = pictures.sandbox.session(account=gap.account, region=gap.region)
    for service, call in (("cloudformation", "describe_stacks"), ("s3", "list_buckets")):
        with pytest.raises(ClientError, match="AccessDenied"):
            getattr(closed.client(service), call)()
    open_region = pictures.sandbox.session(account=gap.account, region="ap-northeast-2")
    assert open_region.client("cloudformation").describe_stacks()["Stacks"]
    assert closed.client("iam").list_roles()["Roles"]


def test_the_trail_knows_who_did_it(pictures: Pictures) -> None:
    for event in script()["events"]:
        if "who" not in event:
            continue
        arn = script()["people"][event["who"]]["arn"]
        where = event["where"]
        session = pictures.sandbox.session(account=estate().account(where["account"]), region=where["region"])
        names = {name.partition(":")[2] for call in event["calls"] for name in call}
        attribute = {"AttributeKey": "Username", "AttributeValue": arn.rpartition("/")[2]}
        answer = (
            session.client("cloudtrail").get_paginator("lookup_events").paginate(LookupAttributes=[attribute])
        )
        seen = {found["EventName"].partition("20")[0] for page in answer for found in page["Events"]}
        assert names <= seen, event["id"]


def test_every_silent_event_says_why() -> None:
    report = expected_report()
    assert len(report.silent) >= 7
    assert all(reason for reason in report.silent.values())
    told = {
        e
        for part in (report.drifts, report.undeclared, report.unmanaged, report.gaps)
        for x in part
        for e in x.events
    }
    assert told | set(report.silent) == {event["id"] for event in script()["events"]}
