"""The postman: takes deliveries out of the outbox, sends them, writes down what became of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from driftguard.errors import AwsError, ConfigError, NotifyError
from driftguard.model import Severity
from driftguard.model.notice import Delivery, DeliveryState, Message, Transition
from driftguard.notify.channel import Tools, channel_module
from driftguard.settings.notify import Channel, NotifySettings

log = logging.getLogger(__name__)
_LEASE_SECONDS = 180
_FIRST_WAIT_SECONDS = 30
_LONGEST_WAIT = timedelta(hours=1)


class Outbox(Protocol):
    """The part of the store that the postman needs."""

    def clock(self, host: datetime) -> datetime: ...
    def take_deliveries(self, now: datetime, lease_seconds: float) -> Sequence[Delivery]: ...
    def close_deliveries(
        self,
        deliveries: Sequence[Delivery],
        state: DeliveryState,
        now: datetime,
        *,
        error: str = "",
        reference: str = "",
        not_before: datetime | None = None,
    ) -> None: ...
    def mark_notified(self, fingerprints: Iterable[str]) -> None: ...


def send_due(outbox: Outbox, settings: NotifySettings, tools: Tools, clock: Callable[[], datetime]) -> int:
    """Send what is due, one message after the other; answers how many went out.

    Safe on any number of nodes at once.  A failing channel does not hold up the others.
    """
    channels = {channel.name: channel for channel in settings.channels}
    sent = 0
    while taken := outbox.take_deliveries(outbox.clock(clock()), _LEASE_SECONDS):
        state, error, reference, wait = _attempt(taken, channels, settings, tools)
        now = outbox.clock(clock())
        later = now + wait if wait else None
        outbox.close_deliveries(taken, state, now, error=error[:1000], reference=reference, not_before=later)
        extra = {"channel": taken[0].channel, "state": state.value}
        if state is DeliveryState.SENT:
            sent += 1
            log.info("message sent", extra=extra)
            outbox.mark_notified(_opened(taken))
        else:
            log.warning("message not sent", extra=extra | {"reason": error})
    return sent


def send_test(channel: Channel, tools: Tools, now: datetime) -> str:
    """Send a test message; answers the channel's reference.  Raises `ConfigError` or `NotifyError`."""
    module = channel_module(channel)
    module.check(channel)
    text = "This is a test. Nothing has happened. / 시험 메시지입니다. 아무 일도 없습니다."
    message = Message(
        title="driftguard: test message",
        title_ko="driftguard: 시험 메시지",
        severity=Severity.INFORMATIONAL,
        text=text,
    )
    delivery = Delivery(
        id=f"test-{now:%Y%m%dT%H%M%S%f}", channel=channel.name, message=message, not_before=now
    )
    reference: str = module.send(channel, delivery, tools)
    return reference


def _attempt(
    taken: Sequence[Delivery], channels: dict[str, Channel], settings: NotifySettings, tools: Tools
) -> tuple[DeliveryState, str, str, timedelta | None]:
    first = taken[0]
    channel = channels.get(first.channel)
    if channel is None:
        return DeliveryState.FAILED, f"there is no channel `{first.channel}` any more.", "", None
    try:
        module = channel_module(channel)
        if first.state is DeliveryState.SENDING and not module.IDEMPOTENT:
            return DeliveryState.UNCERTAIN, "the process that sent it was lost while it did.", "", None
        module.check(channel)
        reference: str = module.send(channel, merged(taken), tools)
    except ConfigError as error:
        return DeliveryState.FAILED, str(error), "", None
    except NotifyError as error:
        if error.uncertain and not module.IDEMPOTENT:
            return DeliveryState.UNCERTAIN, str(error), "", None
        return _again(first, str(error), settings, final=error.final)
    except AwsError as error:
        return _again(first, str(error), settings, final=False)
    except Exception as error:
        log.error("a channel failed", extra={"channel": channel.name}, exc_info=error)
        return _again(first, f"{type(error).__name__}", settings, final=False)
    return DeliveryState.SENT, "", reference, None


def _again(
    delivery: Delivery, error: str, settings: NotifySettings, *, final: bool
) -> tuple[DeliveryState, str, str, timedelta | None]:
    if final or delivery.attempts + 1 >= settings.max_attempts:
        return DeliveryState.FAILED, error, "", None
    wait = min(timedelta(seconds=_FIRST_WAIT_SECONDS * 2**delivery.attempts), _LONGEST_WAIT)
    return DeliveryState.PENDING, error, "", wait


def merged(taken: Sequence[Delivery]) -> Delivery:
    """The deliveries of one digest as one; each transition once."""
    if len(taken) == 1:
        return taken[0]
    notices = {(n.transition, n.finding.fingerprint): n for one in taken for n in one.message.notices}
    ordered = tuple(
        sorted(notices.values(), key=lambda n: (n.transition is Transition.RESOLVED, n.finding.severity.rank))
    )
    worst = min((one.message.severity for one in taken), key=lambda severity: severity.rank)
    message = replace(taken[-1].message, severity=worst, cause="", notices=ordered)
    return replace(taken[0], message=message)


def _opened(taken: Sequence[Delivery]) -> list[str]:
    return [
        notice.finding.fingerprint
        for one in taken
        for notice in one.message.notices
        if notice.transition is not Transition.RESOLVED
    ]
