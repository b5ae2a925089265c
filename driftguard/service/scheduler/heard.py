"""What the event queue told of who did what, kept for the look that follows.

CloudTrail shows an event to LookupEvents minutes after it happened, and the look comes within seconds; but the event
that caused it was the record itself.  It is kept in this process only: a record may hold secrets, and nothing of it
that was not matched to a change goes into the store.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-cloudtrail-works.html
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from driftguard.attribution import TrailEvent

_KEPT = 2_000
"""The newest acts that are kept; LookupEvents knows the older ones by then."""


class Heard:
    """The newest acts of people and machines, by account and region."""

    def __init__(self) -> None:
        self._acts: deque[tuple[str, str, TrailEvent]] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()

    def add(self, account: str, region: str, act: TrailEvent) -> None:
        """Keep an act that was told of."""
        with self._lock:
            self._acts.append((account, region, act))

    def __call__(self, account: str, region: str) -> Sequence[TrailEvent]:
        """What was told of a place, oldest first."""
        with self._lock:
            return [act for of, where, act in self._acts if (of, where) == (account, region)]
