"""A budget of calls per account, region and service, spent by every attempt, retries included."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

# Where AWS publishes a rate lower than any sensible budget, or it was measured: CloudTrail LookupEvents
# 2 per second (https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html),
# Cloud Control about 30 per second (aws-nuke issue 508).
PUBLISHED_RATES: Mapping[str, float] = {"cloudtrail": 2.0, "cloudcontrol": 25.0}


class TokenBucket:
    """At most ``rate`` calls a second in the long run and ``burst`` at once.  Thread-safe, first come first served."""

    def __init__(
        self,
        rate: float,
        burst: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.rate = rate
        self._burst = max(1.0, burst if burst is not None else rate)
        self._tokens = self._burst
        self._clock = clock
        self._sleep = sleep
        self._filled = clock()
        self._lock = threading.Lock()

    def take(self) -> float:
        """Spend one token, waiting for it if there is none.  Answers the seconds waited."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._burst, self._tokens + (now - self._filled) * self.rate)
            self._filled = now
            self._tokens -= 1.0
            # A debt reserves this caller's place in the queue, so that nobody overtakes it.
            wait = max(0.0, -self._tokens / self.rate)
        if wait:
            self._sleep(wait)
        return wait


class Pacing:
    """The buckets of one process."""

    def __init__(self, calls_per_second: float, by_service: Mapping[str, float] | None = None) -> None:
        self._default = calls_per_second
        self._by_service = by_service or {}
        self._buckets: dict[tuple[str, str, str], TokenBucket] = {}
        self._lock = threading.Lock()

    def bucket(self, account: str, region: str, service: str) -> TokenBucket:
        """The bucket that all clients of ``service`` in this account and region share."""
        key = (account, region, service)
        with self._lock:
            if key not in self._buckets:
                self._buckets[key] = TokenBucket(self._rate(service))
            return self._buckets[key]

    def _rate(self, service: str) -> float:
        published = PUBLISHED_RATES.get(service, self._default)
        return self._by_service.get(service, min(self._default, published))
