"""Rate limits: a bucket for each caller, filled again as time goes by."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_MOST_CALLERS = 10_000


class Limiter:
    """At most ``per_minute`` requests of one caller in a minute, kept in this process."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def wait(self, caller: str) -> float:
        """Take one request; answers 0, or for how many seconds the caller must wait first."""
        now = self._clock()
        with self._lock:
            left, at = self._buckets.get(caller, (float(self.per_minute), now))
            left = min(float(self.per_minute), left + (now - at) * self.per_minute / 60)
            if left < 1:
                self._buckets[caller] = (left, now)
                return (1 - left) * 60 / self.per_minute
            self._buckets[caller] = (left - 1, now)
            if len(self._buckets) > _MOST_CALLERS:
                self._forget(now)
        return 0.0

    def _forget(self, now: float) -> None:
        """Drop the callers whose buckets are full again; they lose nothing."""
        for caller, (left, at) in list(self._buckets.items()):
            if left + (now - at) * self.per_minute / 60 >= self.per_minute:
                del self._buckets[caller]
