"""Jira Cloud or Data Center: an issue for each message (REST API v2).

https://developer.atlassian.com/cloud/jira/platform/rest/v2/api-group-issues/
"""

from __future__ import annotations

import base64

import orjson

from driftguard.model.notice import Delivery, Transition
from driftguard.notify.channel import Tools, need
from driftguard.notify.words import lines, title
from driftguard.settings.notify import Channel

IDEMPOTENT = False


def check(channel: Channel) -> None:
    need(
        channel, url_env=channel.url or channel.url_env, secret_env=channel.secret_env, target=channel.target
    )


def send(channel: Channel, delivery: Delivery, tools: Tools) -> str:
    message = delivery.message
    if message.notices and all(n.transition is Transition.RESOLVED for n in message.notices):
        return "nothing to open"
    fields = {
        "project": {"key": channel.target},
        "issuetype": {"name": "Task"},
        "summary": title(message, channel.language).replace("\n", " ")[:250],
        # {noformat}: names of resources are no markup.
        "description": "{noformat}\n"
        + "\n".join(lines(message, channel.language, tools.link)).replace("{noformat}", "")[:30_000]
        + "\n{noformat}",
        "labels": ["driftguard", f"driftguard-{delivery.id[:16]}"],
    }
    secret = tools.secret(channel)
    basic = base64.b64encode(f"{channel.user}:{secret}".encode()).decode()
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Basic {basic}" if channel.user else f"Bearer {secret}",
    }
    url = tools.url(channel).rstrip("/") + "/rest/api/2/issue"
    tools.http.post(url, orjson.dumps({"fields": fields}), headers, allow_private=channel.allow_private)
    return f"driftguard-{delivery.id[:16]}"
