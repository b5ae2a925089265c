"""Systems Manager OpsCenter: an OpsItem for each message that opens something.

OpsCenter itself drops a second OpsItem with the same dedup string while the first is open.
https://docs.aws.amazon.com/systems-manager/latest/userguide/OpsCenter-working-deduplication.html
"""

from __future__ import annotations

import orjson

from driftguard.aws.write.ssm import SsmWrite
from driftguard.errors import AwsError
from driftguard.model.notice import Delivery, Transition
from driftguard.notify.channel import Tools
from driftguard.notify.words import lines, title
from driftguard.settings.notify import Channel

IDEMPOTENT = True
_SEVERITIES = {"CRITICAL": "1", "HIGH": "2", "MEDIUM": "3"}


def check(channel: Channel) -> None:
    """Nothing is needed: by default our own account and region."""


def send(channel: Channel, delivery: Delivery, tools: Tools) -> str:
    message = delivery.message
    if message.notices and all(n.transition is Transition.RESOLVED for n in message.notices):
        return "nothing to open"
    data = {
        "/aws/dedup": {
            "Type": "SearchableString",
            "Value": orjson.dumps({"dedupString": delivery.id}).decode(),
        }
    }
    try:
        return tools.gateway(channel, SsmWrite).create_ops_item(
            title(message, channel.language)[:1024],
            "\n".join(lines(message, channel.language, tools.link))[:2048],
            "driftguard",
            OperationalData=data,
            Severity=_SEVERITIES.get(message.severity.value, "4"),
            Category="Security",
        )
    except AwsError as error:
        if error.code == "OpsItemAlreadyExistsException":
            return delivery.id
        raise
