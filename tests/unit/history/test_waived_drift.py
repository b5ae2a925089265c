"""What `driftguard waive FINDING` writes covers just that finding."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from driftguard.history.waivers import covers, selectors
from driftguard.model import Finding, FindingKind, FindingStatus, ResourceKey, Severity, Waiver

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = ResourceKey(account="1" * 12, region="us-east-1", type="AWS::SQS::Queue", identifier="q")


def finding(subject: str, kind: FindingKind = FindingKind.DRIFT, name: str = "q") -> Finding:
    return Finding(
        fingerprint=subject,
        kind=kind,
        key=replace(KEY, identifier=name),
        subject=subject,
        severity=Severity.LOW,
        title="",
        status=FindingStatus.NEW,
        first_seen=NOW,
        last_seen=NOW,
    )


def test_the_property_of_the_resource_and_no_other() -> None:
    waiver = Waiver(
        id="w",
        reason="agreed",
        owner="minji",
        approver="sora",
        expires_at=NOW + timedelta(days=1),
        resource="q",
        path="/VisibilityTimeout",
    )
    assert covers(waiver, finding("/VisibilityTimeout"), NOW, {})
    assert not covers(waiver, finding("/KmsMasterKeyId"), NOW, {})
    assert not covers(waiver, finding("/VisibilityTimeout"), NOW + timedelta(days=2), {})


def waiver_of(one: Finding) -> Waiver:
    end = NOW + timedelta(days=1)
    return Waiver(id="w", reason="agreed", owner="minji", approver="sora", expires_at=end, **selectors(one))


@pytest.mark.parametrize(
    ("accepted", "other", "path"),
    [
        # Who accepts a drift has not accepted that a policy about the same property is not met.
        (finding("/Access"), finding("ACCESS_BLOCKED", FindingKind.COMPLIANCE), "/Access"),
        (finding("", FindingKind.UNMANAGED), finding("ACCESS_BLOCKED", FindingKind.COMPLIANCE), ""),
        (finding("ACCESS_BLOCKED", FindingKind.COMPLIANCE), finding("/Access"), None),
        (finding("/Rules/*"), finding("/Rules/Other"), None),
        # A DNS record may be called by a star, and stands for no other.
        (finding("/TTL", name="*.example.com"), finding("/TTL", name="www.example.com"), None),
    ],
)
def test_a_waiver_of_a_finding_covers_it_and_no_other(
    accepted: Finding, other: Finding, path: str | None
) -> None:
    waiver = waiver_of(accepted)
    assert covers(waiver, accepted, NOW, {}, path)
    assert not covers(waiver, other, NOW, {}, path)
