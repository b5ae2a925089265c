"""PagerDuty, Events API v2: opens an alert, and resolves it when all of it is resolved.

https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
"""

from __future__ import annotations

import orjson

from driftguard.model.notice import Delivery, Notice, Transition
from driftguard.notify.channel import Tools, need
from driftguard.notify.words import called, document, title
from driftguard.settings.notify import Channel

IDEMPOTENT = True  # the same dedup_key is one alert
_URL = "https://events.pagerduty.com/v2/enqueue"
_SEVERITIES = {"CRITICAL": "critical", "HIGH": "error", "MEDIUM": "warning"}


def check(channel: Channel) -> None:
    need(channel, secret_env=channel.secret_env)


def send(channel: Channel, delivery: Delivery, tools: Tools) -> str:
    # One alert for each finding, so that it can be resolved by itself; a message without findings is one.
    keys = []
    for event in events(delivery, channel, tools.link):
        body = orjson.dumps({"routing_key": tools.secret(channel), **event})
        url = channel.url.get_secret_value() if channel.url else _URL
        tools.http.post(url, body, {"Content-Type": "application/json"}, allow_private=channel.allow_private)
        keys.append(str(event["dedup_key"]))
    return keys[0] if keys else ""


def events(delivery: Delivery, channel: Channel, link: str) -> list[dict[str, object]]:
    """The events of a delivery, without the routing key."""
    message = delivery.message
    if not message.notices:
        return [
            _trigger(
                f"driftguard/{delivery.id}",
                title(message, channel.language),
                message.severity.value,
                "driftguard",
                {"text": message.text},
            )
        ]
    return [_event(notice, channel, delivery, link) for notice in message.notices]


def _event(notice: Notice, channel: Channel, delivery: Delivery, link: str) -> dict[str, object]:
    finding = notice.finding
    key = f"driftguard/{finding.fingerprint}"
    if notice.transition is Transition.RESOLVED:
        return {"event_action": "resolve", "dedup_key": key}
    details = document(delivery.message, channel.language, link)["findings"]
    own = next(row for row in details if row["fingerprint"] == finding.fingerprint)  # type: ignore[attr-defined]  # a list of objects
    summary = f"{called(notice, channel.language)}: {finding.key.identifier}"
    return _trigger(key, summary, finding.severity.value, str(finding.key), own)


def _trigger(key: str, summary: str, severity: str, source: str, details: object) -> dict[str, object]:
    return {
        "event_action": "trigger",
        "dedup_key": key[:255],
        "payload": {
            "summary": summary[:1024],
            "severity": _SEVERITIES.get(severity, "info"),
            "source": source,
            "custom_details": details,
        },
    }
