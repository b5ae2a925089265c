"""AWS Config's configuration items, from every place that hands them out.

Advanced query rows, batch get, history, event notifications and delivered files write the same record
in different dialects: JSON in strings, floats for integers, instants as text, numbers or dates, tags in
five places, keys that are spelt differently.  `parse_item` undoes the dialect and nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from driftguard.errors import InputError
from driftguard.model import Json

DELETED = frozenset({"ResourceDeleted", "ResourceDeletedNotRecorded"})
NOT_RECORDED = frozenset({"ResourceNotRecorded", "ResourceDeletedNotRecorded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationItem:
    """One record, JSON decoded, otherwise as AWS Config gave it.

    ``type`` is AWS Config's name of the type, which differs from CloudFormation's for a few.  ``tags`` is
    ``None`` when this source does not carry them (BatchGetResourceConfig does not).
    """

    type: str
    id: str
    account: str
    region: str
    partition: str = "aws"
    name: str | None = None
    arn: str | None = None
    status: str = "OK"
    captured_at: datetime | None = None
    created_at: datetime | None = None
    state_id: str | None = None
    configuration: Mapping[str, Json] = field(default_factory=dict)
    supplementary: Mapping[str, Json] = field(default_factory=dict)
    tags: Mapping[str, str] | None = None

    @property
    def deleted(self) -> bool:
        return self.status in DELETED

    @property
    def recorded(self) -> bool:
        return self.status not in NOT_RECORDED

    def same_state(self, other: ConfigurationItem) -> bool:
        """Whether both are the same recorded state: AWS sometimes delivers one state with other content."""
        return (
            self.state_id is not None
            and (self.state_id, self.captured_at) == (other.state_id, other.captured_at)
            and (self.type, self.id, self.account, self.region)
            == (other.type, other.id, other.account, other.region)
        )


def parse_item(
    raw: Mapping[str, Any], *, account: str = "", region: str = "", partition: str = ""
) -> ConfigurationItem:
    """A configuration item from any of AWS Config's answers.

    ``account``, ``region`` and ``partition`` fill what a source leaves out.  Raises `InputError` when the
    record does not say which resource it is about, or its configuration is no JSON object.
    """
    kind, name = raw.get("resourceType"), raw.get("resourceId")
    if not isinstance(kind, str) or not kind or not isinstance(name, str) or not name:
        raise InputError("a configuration item has no resourceType and resourceId.")
    configuration = decoded(raw.get("configuration"))
    if not isinstance(configuration, Mapping | None):
        raise InputError(f"the configuration of {kind} {name} is not a JSON object.")
    supplementary = decoded(raw.get("supplementaryConfiguration"))
    if not isinstance(supplementary, Mapping | None):
        raise InputError(f"the supplementary configuration of {kind} {name} is not a JSON object.")
    arn = raw.get("arn") or raw.get("ARN")
    extra = {key: decoded(value) for key, value in (supplementary or {}).items()}
    state = raw.get("configurationStateId", raw.get("configurationStateID"))
    return ConfigurationItem(
        type=kind,
        id=name,
        account=str(raw.get("accountId") or raw.get("awsAccountId") or account),
        region=str(raw.get("awsRegion") or region),
        partition=partition or _partition(arn),
        name=raw.get("resourceName") or None,
        arn=arn or None,
        status=str(raw.get("configurationItemStatus") or "OK"),
        captured_at=instant(raw.get("configurationItemCaptureTime")),
        created_at=instant(raw.get("resourceCreationTime")),
        state_id=None if state is None else str(state),
        configuration=plain(configuration or {}),
        supplementary=plain(extra),
        tags=_tags(raw, configuration or {}, extra),
    )


def decoded(value: Json) -> Json:
    """``value`` with JSON in strings undone; S3's access control list is encoded twice."""
    for _ in range(3):
        if value == "null":
            return None
        if not isinstance(value, str) or value[:1] not in ("{", "[", '"'):
            return value
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def plain(value: Json) -> Json:
    """``value`` without nulls, and with whole floats as integers (advanced queries answer ``60.0``)."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items() if part is not None}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value if part is not None]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def instant(value: Any) -> datetime | None:
    """A UTC instant from a date, ISO 8601 text, or seconds or milliseconds since 1970; else ``None``."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
    if isinstance(value, str) and value:
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return None
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def tag_map(value: Json) -> dict[str, str] | None:
    """Tags as a map from any of the forms that AWS uses for them; ``None`` when it is none of them."""
    if isinstance(value, Mapping):
        return {str(key): "" if text is None else str(text) for key, text in value.items()}
    if not isinstance(value, list | tuple):
        return None
    tags: dict[str, str] = {}
    for row in value:
        if not isinstance(row, Mapping):
            return None
        lowered = {str(key).lower(): text for key, text in row.items()}
        key = next((lowered[name] for name in ("key", "tagkey", "tagname") if lowered.get(name)), None)
        if key is None:
            return None
        text = lowered.get("value", lowered.get("tagvalue"))
        tags[str(key)] = "" if text is None else str(text)
    return tags


def _tags(
    raw: Mapping[str, Any], configuration: Mapping[str, Json], supplementary: Mapping[str, Json]
) -> Mapping[str, str] | None:
    known = tag_map(decoded(raw["tags"])) if raw.get("tags") is not None else None
    if known:
        return known
    places = [configuration.get(name) for name in ("tags", "Tags", "tagList", "TagList", "tagSet")]
    places.append(supplementary.get("Tags"))
    bucket = supplementary.get("BucketTaggingConfiguration")
    if isinstance(bucket, Mapping):
        sets = bucket.get("tagSets") or [{}]
        places.append(sets[0].get("tags") if isinstance(sets[0], Mapping) else None)
    for place in places:
        tags = tag_map(place)
        if tags:
            return tags
        if tags is not None:
            known = tags
    return known


def _partition(arn: Any) -> str:
    parts = arn.split(":") if isinstance(arn, str) else []
    return parts[1] if len(parts) > 2 and parts[1].startswith("aws") else "aws"
