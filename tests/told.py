"""Calls as CloudTrail tells of them, and changes that somebody made, for tests of who made what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from driftguard.attribution import attribute, parse_event
from driftguard.model import DifferenceType, Drift, DriftStatus, PropertyDifference, ResourceKey

ACCOUNT = "1" * 12
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


def call(
    name: str, request: Mapping[str, Any], hour: float = 1, who: str = "bob", **more: Any
) -> dict[str, Any]:
    """An entry of LookupEvents; ``name`` is service and action (``sqs:SetQueueAttributes``)."""
    service, _, action = name.rpartition(":")
    record = {
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/{who}"},
        "userAgent": "aws-cli/2.17.40",
        "eventSource": f"{service}.amazonaws.com" if service else "",
        "requestParameters": request,
        "responseElements": None,
        **more,
    }
    return {
        "EventId": f"{name}-{hour}-{who}",
        "EventName": action,
        "EventTime": MIDNIGHT + timedelta(hours=hour),
        "CloudTrailEvent": json.dumps(record),
    }


def changed(
    kind: str, identifier: str, path: str, was: Any = None, now: Any = None, physical_id: str = ""
) -> Drift:
    """A property of a resource that is not what it was."""
    sort = (
        DifferenceType.ADD
        if was is None
        else DifferenceType.REMOVE
        if now is None
        else DifferenceType.NOT_EQUAL
    )
    one = PropertyDifference(path=path, expected=was, actual=now, type=sort)
    return Drift(
        key=key(kind, identifier),
        status=DriftStatus.MODIFIED,
        physical_id=physical_id or identifier,
        differences=(one,),
    )


def gone(kind: str, identifier: str) -> Drift:
    """A resource that is not there any more."""
    return Drift(key=key(kind, identifier), status=DriftStatus.DELETED, physical_id=identifier)


def by_hand(kind: str, identifier: str) -> Drift:
    """A resource that no template declares."""
    return Drift(key=key(kind, identifier), status=DriftStatus.UNMANAGED, physical_id=identifier)


def key(kind: str, identifier: str) -> ResourceKey:
    region = "global" if kind.startswith("AWS::IAM::") else "us-east-1"
    return ResourceKey(account=ACCOUNT, region=region, type=kind, identifier=identifier)


def who(drift: Drift, *calls: Mapping[str, Any], arn: str | None = None) -> str | None:
    """Who is named, for what, and how surely."""
    found = attribute(drift, arn, [event for event in map(parse_event, calls) if event is not None])
    return found and f"{found.principal.rpartition('/')[2]} {found.event} {found.confidence}"
