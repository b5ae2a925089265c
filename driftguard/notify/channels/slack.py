"""Slack, through an incoming webhook.  https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks"""

from __future__ import annotations

import orjson

from driftguard.model.notice import Delivery
from driftguard.notify.channel import Tools, need
from driftguard.notify.words import lines, title
from driftguard.settings.notify import Channel

IDEMPOTENT = False


def check(channel: Channel) -> None:
    need(channel, url_env=channel.url or channel.url_env)


def send(channel: Channel, delivery: Delivery, tools: Tools) -> str:
    body = "\n".join(lines(delivery.message, channel.language, tools.link))
    # & < > are Slack's control characters: without this a resource's name could make a link or a mention.
    text = f"*{escape(title(delivery.message, channel.language))}*\n{escape(body)}"
    tools.http.post(
        tools.url(channel),
        orjson.dumps({"text": text[:39_000], "unfurl_links": False}),
        {"Content-Type": "application/json"},
        allow_private=channel.allow_private,
    )
    return ""


def escape(text: str) -> str:
    """``text`` without markup of Slack's."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
