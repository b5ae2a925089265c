"""What a message of the event queue says: where to look, or that there is nothing to look at.  Pure.

AWS Config:      https://docs.aws.amazon.com/config/latest/developerguide/monitor-config-with-cloudwatchevents.html
CloudFormation:  https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/eventbridge-events.html
CloudTrail:      https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources

import orjson
import yaml

from driftguard.attribution import TrailEvent, parse_event
from driftguard.errors import InputError
from driftguard.model import Json

_READ_PREFIXES = ("Describe", "Get", "List", "Lookup", "Search", "Head")


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A resource type or a stack in one account and region.  ``event`` names what was told, for people."""

    account: str
    region: str
    source: str
    type: str = ""
    stack: str = ""
    resource: str = ""
    event: str = ""


def parse(body: str) -> Happening | None:
    """What a message tells; ``None`` when it tells of nothing that has to be looked at.

    Raises `InputError` for what is no event at all.
    """
    event = _document(body)
    if "Message" in event and event.get("Type") == "Notification":
        event = _document(str(event["Message"]))  # an SNS envelope around it
    if event.get("messageType") == "ConfigurationItemChangeNotification":
        return _item(event.get("configurationItem"), event)
    kind, detail = str(event.get("detail-type", "")), event.get("detail")
    if not isinstance(detail, Mapping):
        raise InputError(
            "a message of the event queue is no EventBridge event.", fix="Check what fills the queue."
        )
    if kind == "Config Configuration Item Change":
        return _item(detail.get("configurationItem"), event)
    if kind == "CloudFormation Stack Status Change":
        return _stack(event, detail)
    if kind.startswith("AWS API Call via CloudTrail") or kind.startswith("AWS Service Event via CloudTrail"):
        return _call(event, detail)
    return None


def act_of(body: str) -> TrailEvent | None:
    """The CloudTrail record that a message carries, for naming who did it; ``None`` when it carries none."""
    event = _document(body)
    if "Message" in event and event.get("Type") == "Notification":
        event = _document(str(event["Message"]))
    detail = event.get("detail")
    if not isinstance(detail, Mapping) or not str(event.get("detail-type", "")).endswith("via CloudTrail"):
        return None
    return parse_event({"CloudTrailEvent": orjson.dumps(detail).decode()})


def _document(text: str) -> Mapping[str, Json]:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, Mapping):
        raise InputError(
            "a message of the event queue is not a JSON object.", fix="Check what fills the queue."
        )
    return document


def _item(item: Json, event: Mapping[str, Json]) -> Happening | None:
    if not isinstance(item, Mapping):
        return None
    kind = str(item.get("resourceType", ""))
    if kind.startswith(("AWS::Config::", "AWS::SSM::ManagedInstanceInventory")) or not kind:
        return None
    return Happening(
        account=str(item.get("awsAccountId") or event.get("account", "")),
        region=str(item.get("awsRegion") or event.get("region", "")),
        source="config",
        type=kind,
        resource=str(item.get("resourceId", "")),
        event=str(item.get("configurationItemStatus", "")),
    )


def _stack(event: Mapping[str, Json], detail: Mapping[str, Json]) -> Happening | None:
    details = detail.get("status-details")
    status = str(details.get("status", "")) if isinstance(details, Mapping) else ""
    name = str(detail.get("stack-id", "")).split("/")
    # While a stack is being changed a comparison would cry wolf.
    if status.endswith("_IN_PROGRESS") or len(name) < 2:
        return None
    return Happening(
        account=str(event.get("account", "")),
        region=str(event.get("region", "")),
        source="cloudformation",
        stack=name[1],
        event=status,
    )


def _call(event: Mapping[str, Json], detail: Mapping[str, Json]) -> Happening | None:
    name = str(detail.get("eventName", ""))
    if detail.get("readOnly") is True or name.startswith(_READ_PREFIXES) or detail.get("errorCode"):
        return None
    service = str(detail.get("eventSource", "")).removesuffix(".amazonaws.com")
    kind = next((kind for pattern, kind in _types().get(service, ()) if fnmatchcase(name, pattern)), "")
    if not kind:
        return None
    return Happening(
        account=str(detail.get("recipientAccountId") or event.get("account", "")),
        region=str(detail.get("awsRegion") or event.get("region", "")),
        source="cloudtrail",
        type=kind,
        event=name,
    )


@cache
def _types() -> Mapping[str, list[tuple[str, str]]]:
    file = resources.files("driftguard.service.scheduler") / "data" / "trail_types.yaml"
    table = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {service: [(row[0], row[1]) for row in rows] for service, rows in table.items()}
