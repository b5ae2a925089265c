"""Microsoft Teams, an Adaptive Card to a workflow's webhook.

https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
"""

from __future__ import annotations

import orjson

from driftguard.model.notice import Delivery
from driftguard.notify.channel import Tools, need
from driftguard.notify.words import lines, title
from driftguard.settings.notify import Channel

IDEMPOTENT = False
_COLOURS = {"CRITICAL": "attention", "HIGH": "attention", "MEDIUM": "warning"}


def check(channel: Channel) -> None:
    need(channel, url_env=channel.url or channel.url_env)


def send(channel: Channel, delivery: Delivery, tools: Tools) -> str:
    message = delivery.message
    blocks = [_text(line) for line in lines(message, channel.language, tools.link)]
    head = _text(title(message, channel.language)) | {
        "weight": "bolder",
        "color": _COLOURS.get(message.severity.value, "default"),
    }
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [head, *blocks],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    tools.http.post(
        tools.url(channel),
        orjson.dumps({"type": "message", "attachments": [attachment]}),
        {"Content-Type": "application/json"},
        allow_private=channel.allow_private,
    )
    return ""


def _text(text: str) -> dict[str, object]:
    # Markdown characters are escaped: a resource's name is no link.
    plain = "".join(f"\\{char}" if char in "\\*_[]()`#~" else char for char in text[:2000])
    return {"type": "TextBlock", "text": plain, "wrap": True}
