"""A worker: takes units from the ledger one at a time, keeps their leases alive, says what became of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from driftguard.errors import DriftguardError, FencedError, StoreError
from driftguard.history.port import Store
from driftguard.model.schedule import Lease
from driftguard.settings.service import LeaseSettings

log = logging.getLogger(__name__)
_IDLE_SECONDS = 5.0

Work = Callable[[Lease, Callable[[], bool]], None]
"""Does one unit and closes it in the store; the second argument tells when to stop."""


class Worker:
    """One thread that works, and one that keeps the lease of what it works on.

    ``work`` closes its unit itself (`Store.record` with the lease, `finish` or `expand`).  It may raise: a
    `FencedError` is dropped, any other error is written to the unit, which then comes back later or is
    given up.
    """

    def __init__(
        self, store: Store, owner: str, work: Work, settings: LeaseSettings, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._owner = owner
        self._work = work
        self._settings = settings
        self._clock = clock
        self._stopping = threading.Event()
        self._bell = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"worker {owner}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There may be something to do."""
        self._bell.set()

    def stop(self, timeout: float | None = None) -> None:
        """Stop taking units; the one under way is asked to stop and given back."""
        self._stopping.set()
        self._bell.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def turn(self, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Take one unit and work on it; ``False`` when there was none.  ``stopped`` gives it back early."""
        lease = self._store.claim(self._owner, self._now(), self._settings.seconds)
        if lease is None:
            return False
        with _Heartbeat(self._store, lease, self._settings.seconds, self._now) as heart:
            self._do(lease, lambda: self._stopping.is_set() or stopped(), heart.lost)
        return True

    def _do(self, lease: Lease, stopped: Callable[[], bool], lost: threading.Event) -> None:
        extra = {
            "schedule": lease.schedule,
            "slot": lease.slot,
            "account": lease.account,
            "region": lease.region,
        }
        log.info("unit taken", extra=extra | {"attempt": lease.attempt})
        try:
            self._work(lease, lambda: lost.is_set() or stopped())
        except FencedError:
            log.warning("unit taken over by another worker", extra=extra)
        except Exception as error:  # noqa: BLE001 - one unit must not end the worker
            if lost.is_set():
                log.warning("unit lost", extra=extra)
            elif stopped():
                self._store.release(lease, self._now())
            else:
                self._failed(lease, error)
        else:
            log.info("unit done", extra=extra)

    def _failed(self, lease: Lease, error: Exception) -> None:
        reason = str(error) if isinstance(error, DriftguardError) else f"{type(error).__name__}: {error}"
        log.error("unit failed", extra={"schedule": lease.schedule, "slot": lease.slot}, exc_info=error)
        self._store.fail(lease, self._now(), reason[:2000], self._settings.retry_seconds)

    def _now(self) -> datetime:
        return self._store.clock(self._clock())

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                busy = self.turn()
            except StoreError as error:
                # The database restarts or is out of reach: the lease runs out by itself, nothing is lost.
                log.warning("the store does not answer", extra={"reason": str(error)})
                busy = False
            if not busy:
                self._bell.wait(_IDLE_SECONDS)
                self._bell.clear()


class _Heartbeat:
    """Renews a lease three times in its length, until the unit is done or lost."""

    def __init__(self, store: Store, lease: Lease, seconds: float, now: Callable[[], datetime]) -> None:
        self.lost = threading.Event()
        self._done = threading.Event()
        self._store, self._lease, self._seconds, self._now = store, lease, seconds, now
        self._thread = threading.Thread(target=self._beat, name=f"lease {lease}", daemon=True)

    def __enter__(self) -> _Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._done.wait(self._seconds / 3):
            try:
                if not self._store.renew(self._lease, self._now(), self._seconds) and not self._done.is_set():
                    self.lost.set()
                    return
            except StoreError as error:
                log.warning("the lease could not be renewed", extra={"reason": str(error)})
