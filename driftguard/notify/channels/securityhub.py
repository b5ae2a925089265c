"""AWS Security Hub: findings as ASFF, in the account and region of their resource.  Updates by id."""

from __future__ import annotations

from collections import defaultdict

from driftguard.aws.write.publish import SecurityHubWrite
from driftguard.errors import NotifyError
from driftguard.model import Json
from driftguard.model.notice import Delivery
from driftguard.notify.channel import Tools
from driftguard.settings.notify import Channel

IDEMPOTENT = True  # a finding's Id is its identity


def check(channel: Channel) -> None:
    """Nothing is needed: the places come from the findings."""


def send(channel: Channel, delivery: Delivery, tools: Tools) -> str:
    places: dict[tuple[str, str], list[dict[str, Json]]] = defaultdict(list)
    for notice in delivery.message.notices:
        document = dict(notice.document)
        region = str(document.get("ProductArn", ":::::").split(":")[3])
        if document:
            places[(notice.finding.key.account, region)].append(document)
    refused = [
        row
        for (account, region), documents in places.items()
        for row in tools.gateway(
            channel, SecurityHubWrite, account=channel.account or account, region=channel.region or region
        ).import_findings(documents)
    ]
    if refused:
        raise NotifyError(
            f"Security Hub refused {len(refused)} findings ({refused[0].get('ErrorCode')}).",
            fix="Check that Security Hub is on in their account and region.",
        )
    return f"{sum(map(len, places.values()))} findings"
