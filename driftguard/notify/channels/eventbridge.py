"""An EventBridge bus: one event for each finding, ``driftguard`` / ``Finding new|reopened|resolved``."""

from __future__ import annotations

import orjson

from driftguard.aws.write.publish import EventsWrite
from driftguard.errors import NotifyError
from driftguard.model.notice import Delivery
from driftguard.notify.channel import Tools, need
from driftguard.notify.words import document
from driftguard.settings.notify import Channel

IDEMPOTENT = False


def check(channel: Channel) -> None:
    need(channel, target=channel.target)


def send(channel: Channel, delivery: Delivery, tools: Tools) -> str:
    whole = document(delivery.message, channel.language, tools.link)
    findings = whole.pop("findings")
    assert isinstance(findings, list)
    rows = [
        (f"Finding {finding['transition']}", {**whole, "id": f"{delivery.id}/{number}", "finding": finding})
        for number, finding in enumerate(findings)
    ] or [("Message", {**whole, "id": delivery.id})]
    entries = [
        {
            "Source": "driftguard",
            "DetailType": kind,
            "Detail": orjson.dumps(detail).decode(),
            "EventBusName": channel.target,
        }
        for kind, detail in rows
    ]
    refused = list(tools.gateway(channel, EventsWrite).put(entries))
    if refused:
        raise NotifyError(
            f"EventBridge refused {len(refused)} of {len(entries)} events ({refused[0].get('ErrorCode')}).",
            # Those that went through would come twice if all were sent again.
            uncertain=len(refused) < len(entries),
        )
    return f"{len(entries)} events"
