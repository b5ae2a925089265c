"""Configuration items: made from what adapters and readers see, and written as the API writes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from driftguard.sandbox.config import early_s3, early_table, early_types  # noqa: F401 - they register readers
from driftguard.sandbox.config.dialect import plain
from driftguard.sandbox.config.early import READERS, Reading
from driftguard.sandbox.config.scope import GLOBAL_TYPES
from driftguard.sandbox.core import Context
from driftguard.sandbox.types.base import adapter_for, tag_list

Item = dict[str, Any]
"""A configuration item in the API's members, but `configuration` decoded."""

DELETED = frozenset({"ResourceDeleted", "ResourceDeletedNotRecorded"})

# Keys that name another resource: relationship name after recorded items where one was seen, else "Is associated with".
_RELATED: Mapping[str, tuple[str, str]] = {
    "vpcId": ("AWS::EC2::VPC", "Is contained in Vpc"),
    "VpcId": ("AWS::EC2::VPC", "Is contained in Vpc"),
    "subnetId": ("AWS::EC2::Subnet", "Is contained in Subnet"),
    "SubnetId": ("AWS::EC2::Subnet", "Is contained in Subnet"),
    "groupId": ("AWS::EC2::SecurityGroup", "Is associated with SecurityGroup"),
    "vpcSecurityGroupId": ("AWS::EC2::SecurityGroup", "Is associated with SecurityGroup"),
    "volumeId": ("AWS::EC2::Volume", "Is attached to Volume"),
    "networkInterfaceId": ("AWS::EC2::NetworkInterface", "Contains NetworkInterface"),
    "dBSubnetGroupName": ("AWS::RDS::DBSubnetGroup", "Is associated with DBSubnetGroup"),
}
_NAME_KEYS = (
    "Name",
    "FunctionName",
    "QueueName",
    "ClusterName",
    "ServiceName",
    "RepositoryName",
    "TableName",
)
# What a plain look changes by itself; AWS does not make a new item for it.
_VOLATILE = frozenset(
    {"roleLastUsed", "itemCount", "tableSizeBytes", "LastAccessedDate", "latestRestorableTime"}
)


def make_item(context: Context, type_name: str, config_type: str, id: str) -> Item | None:
    """The present item of a resource; None when it is gone or belongs elsewhere."""
    adapter = adapter_for(type_name, context)
    properties = adapter.read_or_none(id) if adapter else {}
    if properties is None:
        return None
    read = READERS.get(type_name)
    if read:
        reading = read(context, id)
    else:
        reading = Reading(configuration=plain(properties))
    if adapter and not reading.arn:
        reading.arn = adapter.arn(id)
    reading.configuration = _stable(reading.configuration)
    tags = _tags(reading.configuration, properties)
    if not read:
        reading.resource_id = reading.resource_id or (adapter.identifier(id) if adapter else None) or id
        reading.resource_name = reading.resource_name or _name(reading.configuration, id)
    everywhere = config_type in GLOBAL_TYPES
    item: Item = {
        "version": "1.3",
        "accountId": context.account,
        "arn": reading.arn or _arn(context, config_type, reading.resource_id or id),
        "resourceType": config_type,
        "resourceId": reading.resource_id or id,
        "awsRegion": "global" if everywhere else context.region,
        "availabilityZone": "Not Applicable" if everywhere else reading.zone or "Regional",
        "tags": tags,
        "configuration": reading.configuration,
        "supplementaryConfiguration": reading.supplementary,
        "relationships": _relationships(reading.configuration, reading.resource_id or id),
        "relatedEvents": [],
        "recordingFrequency": "CONTINUOUS",
    }
    if reading.resource_name:
        item["resourceName"] = reading.resource_name
    return item


def digest(item: Mapping[str, Any]) -> str:
    """Equal for equal contents: what decides whether a new item is written."""
    parts = [item[key] for key in ("configuration", "supplementaryConfiguration", "tags", "relationships")]
    return hashlib.md5(json.dumps(parts, sort_keys=True).encode(), usedforsecurity=False).hexdigest()


def _stable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _stable(inner) for key, inner in value.items() if key not in _VOLATILE}
    return [_stable(inner) for inner in value] if isinstance(value, list) else value


def _tags(configuration: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, str]:
    for source in (properties.get("Tags"), configuration.get("tags")):
        if source:
            return {tag["Key"]: tag["Value"] for tag in tag_list(source)}
    return {}


def _name(configuration: Mapping[str, Any], id: str) -> str:
    named = next((configuration[key] for key in _NAME_KEYS if isinstance(configuration.get(key), str)), None)
    return str(named or id.rsplit("/", 1)[-1].rsplit(":", 1)[-1])


def _arn(context: Context, config_type: str, resource_id: str) -> str:
    if resource_id.startswith("arn:"):
        return resource_id
    _, service, kind = config_type.lower().split("::")
    return f"arn:{context.partition}:{service}:{context.region}:{context.account}:{kind}/{resource_id}"


def _relationships(configuration: Any, own_id: str) -> list[dict[str, str]]:
    found: dict[str, dict[str, str]] = {}

    def walk(value: Any) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                if key in _RELATED and isinstance(inner, str) and inner and inner != own_id:
                    kind, name = _RELATED[key]
                    found[inner] = {"resourceType": kind, "resourceId": inner, "relationshipName": name}
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(configuration)
    return [found[key] for key in sorted(found)]


def full(item: Item) -> dict[str, Any]:
    """The item as GetResourceConfigHistory returns it."""
    out = dict(item)
    configuration = out.pop("configuration")
    if configuration is not None:
        out["configuration"] = json.dumps(configuration)
    return out


_BASE = (
    "version",
    "accountId",
    "configurationItemCaptureTime",
    "configurationItemStatus",
    "configurationStateId",
    "arn",
    "resourceType",
    "resourceId",
    "resourceName",
    "awsRegion",
    "availabilityZone",
    "resourceCreationTime",
    "supplementaryConfiguration",
    "recordingFrequency",
    "configurationItemDeliveryTime",
)


def base(item: Item) -> dict[str, Any]:
    """The item as BatchGetResourceConfig returns it: without tags, relationships and hash."""
    out = {key: item[key] for key in _BASE if key in item}
    out["configuration"] = json.dumps(item["configuration"])
    return out


def row(item: Item) -> dict[str, Any]:
    """The item as advanced queries see it: parts decoded, tags as {tag, key, value}."""
    out = {key: plain(value) for key, value in item.items()}
    out["tags"] = [
        {"tag": f"{key}={value}", "key": key, "value": value} for key, value in item["tags"].items()
    ]
    out["supplementaryConfiguration"] = {
        key: _decoded(value) for key, value in item["supplementaryConfiguration"].items()
    }
    return out


def _decoded(value: str) -> Any:
    try:
        found = json.loads(value)
        return json.loads(found) if isinstance(found, str) and found[:1] in {"{", "["} else found
    except ValueError:
        return value


def document(item: Item) -> dict[str, Any]:
    """The item as delivered files and events carry it: instants as text, parts as data, a few other names."""
    out = {key: plain(value) for key, value in item.items()}
    out["supplementaryConfiguration"] = {
        key: _decoded(value) for key, value in item["supplementaryConfiguration"].items()
    }
    out["relationships"] = [
        {("name" if key == "relationshipName" else key): value for key, value in relation.items()}
        for relation in item["relationships"]
    ]
    out["configurationStateId"] = int(item["configurationStateId"])
    for old, new in _RENAMED.items():
        out[new] = out.pop(old, None)
    return out


# Members of the API -> members in files and notifications (developer guide, samples).
_RENAMED: Mapping[str, str] = {
    "version": "configurationItemVersion",
    "accountId": "awsAccountId",
    "arn": "ARN",
    "configurationItemMD5Hash": "configurationStateMd5Hash",
}
