"""An SNS topic: words in the message, severity and kind as attributes to filter by."""

from __future__ import annotations

from driftguard.aws.write.publish import SnsWrite
from driftguard.model.notice import Delivery
from driftguard.notify.channel import Tools, need
from driftguard.notify.words import lines, title
from driftguard.settings.notify import Channel

IDEMPOTENT = False


def check(channel: Channel) -> None:
    need(channel, target=channel.target)


def send(channel: Channel, delivery: Delivery, tools: Tools) -> str:
    message = delivery.message
    head = title(message, channel.language)
    body = "\n".join([head, *lines(message, channel.language, tools.link)])
    gateway = tools.gateway(channel, SnsWrite, region=channel.region or channel.target.split(":")[3])
    # A subject is ASCII without line breaks: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
    subject = head.encode("ascii", "replace").decode().replace("\n", " ")
    return gateway.publish(channel.target, subject, body[:200_000], {"severity": message.severity.value})
