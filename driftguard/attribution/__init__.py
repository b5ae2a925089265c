"""Who changed it: CloudTrail events matched to property changes.

Pure: events in, a `ChangedBy` or ``None`` out.  A wrong name is worse than none, so an event counts only when
it names the whole resource and its call is one that changes such a resource; it is trusted most when it also
names what changed.
"""

from __future__ import annotations

from driftguard.attribution.events import TrailEvent, parse_event
from driftguard.attribution.match import attribute

__all__ = ["TrailEvent", "attribute", "parse_event"]
