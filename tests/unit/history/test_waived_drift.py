"""What `driftguard waive FINDING` writes for a drift covers just that drift."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from driftguard.history.waivers import covers
from driftguard.model import Finding, FindingKind, FindingStatus, ResourceKey, Severity, Waiver

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = ResourceKey(account="1" * 12, region="us-east-1", type="AWS::SQS::Queue", identifier="q")


def finding(subject: str) -> Finding:
    return Finding(
        fingerprint=subject,
        kind=FindingKind.DRIFT,
        key=KEY,
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
