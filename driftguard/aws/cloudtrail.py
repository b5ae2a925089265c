"""CloudTrail: who did what, from the 90-day event history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from driftguard.aws.actions import reads
from driftguard.aws.gateway import Gateway


class CloudTrail(Gateway):
    SERVICE = "cloudtrail"
    PREFIX = "cloudtrail"

    @reads("cloudtrail:LookupEvents")
    def lookup(
        self,
        *,
        attribute: str | None = None,
        value: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Iterator[Mapping[str, Any]]:
        """Management events, newest first; ``CloudTrailEvent`` holds the full event as JSON text.

        ``attribute`` is one of EventId, EventName, ReadOnly, Username, ResourceType, ResourceName,
        EventSource, AccessKeyId; AWS takes only one.  AWS allows two calls a second.
        """
        lookup = [{"AttributeKey": attribute, "AttributeValue": value}] if attribute else None
        return self.items(
            "LookupEvents", "Events", LookupAttributes=lookup, StartTime=start, EndTime=end, MaxResults=50
        )

    @reads("cloudtrail:DescribeTrails")
    def trails(self) -> tuple[Mapping[str, Any], ...]:
        """The trails that cover this region."""
        return tuple(self.call("DescribeTrails", includeShadowTrails=True).get("trailList", ()))

    @reads("cloudtrail:GetTrailStatus")
    def trail_status(self, name: str) -> Mapping[str, Any]:
        """Whether a trail is logging."""
        return self.call("GetTrailStatus", Name=name)
