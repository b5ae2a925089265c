"""From the event queue to the ledger: a change in AWS becomes a slot, once however often it is told."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from driftguard.aws.write.queue import QueueWrite
from driftguard.errors import DriftguardError, InputError
from driftguard.model.schedule import EVENTS, Slot
from driftguard.service.scheduler.happenings import Happening, act_of, parse
from driftguard.service.scheduler.heard import Heard
from driftguard.service.scheduler.work import Services

log = logging.getLogger(__name__)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAUSE_SECONDS = 15.0
_SCOPE_SECONDS = 600.0


class Listener:
    """One thread that reads the queue.  Any number of nodes may listen: SQS gives a message to one."""

    def __init__(self, services: Services, wake: Callable[[], None], heard: Heard | None = None) -> None:
        self._services = services
        self._settings = services.settings.service.events
        self._wake = wake
        self.heard = heard or Heard()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="events", daemon=True)
        self._scope: frozenset[tuple[str, str]] = frozenset()
        self._scope_until = 0.0
        self.counts: dict[str, int] = {"taken": 0, "elsewhere": 0, "nothing": 0, "unreadable": 0}
        """What became of messages, for the metrics."""

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float | None = None) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def turn(self) -> int:
        """Read the queue once; answers how many slots are new.

        What cannot be read stays in the queue, so that its dead-letter queue gets it in the end.
        """
        url = self._settings.queue_url or ""
        gateway = self._gateway(url)
        messages = gateway.receive(url, self._settings.wait_seconds)
        done, new = [], 0
        for message in messages:
            try:
                happening = parse(str(message.get("Body", "")))
            except InputError as error:
                self.counts["unreadable"] += 1
                log.warning(
                    "event unreadable", extra={"reason": str(error), "message_id": message.get("MessageId")}
                )
                continue
            new += self._note(happening, message)
            done.append(message)
        gateway.delete(url, done)
        if new:
            self._wake()
        return new

    def _note(self, happening: Happening | None, message: Mapping[str, Any]) -> bool:
        if happening is None:
            self.counts["nothing"] += 1
            return False
        happening = self._placed(happening)
        if (happening.account, happening.region) not in self._scope:
            self.counts["elsewhere"] += 1
            return False
        self.counts["taken"] += 1
        act = act_of(str(message.get("Body", "")))
        if act is not None:
            self.heard.add(happening.account, happening.region, act)
        store = self._services.store
        now = store.clock(self._services.clock())
        slot = slot_of(happening, now, self._settings.settle_seconds, str(message.get("MessageId", "")))
        return store.add_slot(slot, now)

    def _placed(self, happening: Happening) -> Happening:
        """With a region of the scope for what AWS keeps once per partition (AWS Config says ``global``)."""
        if time.monotonic() >= self._scope_until:
            self._scope = frozenset((t.account, t.region) for t in self._services.aws.targets())
            self._scope_until = time.monotonic() + _SCOPE_SECONDS
        if happening.region not in ("", "global"):
            return happening
        regions = sorted(region for account, region in self._scope if account == happening.account)
        return replace(happening, region=regions[0]) if regions else happening

    def _gateway(self, url: str) -> QueueWrite:
        home = self._services.aws.home()
        parts = url.split("/")[2].split(".") if url.count("/") >= 2 else []
        region = self._settings.region or (parts[1] if len(parts) > 2 and parts[0] == "sqs" else home.region)
        return self._services.aws.place(home.account, region).gateway(QueueWrite)

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                self.turn()
            except DriftguardError as error:
                log.warning("the event queue cannot be read", extra={"reason": str(error)})
                self._stopping.wait(_PAUSE_SECONDS)


def slot_of(happening: Happening, now: datetime, settle_seconds: int, message: str) -> Slot:
    """The slot that answers an event.

    Events of one type (or stack) and place that fall into the same span share a slot, and it is due when the
    span is over: every one of them happened before the look.
    """
    what = happening.stack or happening.type
    if settle_seconds:
        span = timedelta(seconds=settle_seconds)
        due = _EPOCH + ((now - _EPOCH) // span + 1) * span
        key = f"{happening.account}/{happening.region}/{what} {due:%Y-%m-%dT%H:%M:%SZ}"
    else:
        due, key = now, f"{happening.account}/{happening.region}/{what} {message}"
    return Slot(schedule=EVENTS, key=key, due_at=due, task={k: v for k, v in asdict(happening).items() if v})
