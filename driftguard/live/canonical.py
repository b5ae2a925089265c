"""The hash by which two states are told to be the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from driftguard.model import Json
from driftguard.schema import TypeSchema

# Read-only values that move without anybody changing the resource.  A name alone is not enough: the schema
# must call the property read-only.
_MOVING = frozenset(
    {
        "AvailableIpAddressCount",
        "InstanceHealth",
        "ItemCount",
        "LastModified",
        "LastModifiedAt",
        "LastModifiedDate",
        "LastModifiedTime",
        "LastUpdateTime",
        "LastUpdated",
        "LastUpdatedAt",
        "LastUpdatedDate",
        "LastUpdatedTime",
        "LatestRestorableTime",
        "ModifiedAt",
        "RunningCount",
        "TableSizeBytes",
        "UpdatedAt",
        "UpdatedTime",
    }
)


def canonical(properties: Mapping[str, Json], schema: TypeSchema | None = None) -> bytes:
    """``properties`` as bytes that are equal for equal states: keys sorted, moving read-only values left out."""
    kept = properties
    if schema is not None and not _MOVING.isdisjoint(properties):
        kept = {
            name: value
            for name, value in properties.items()
            if not (name in _MOVING and schema.is_read_only((name,)))
        }
    return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS, default=_other)


def state_hash(properties: Mapping[str, Json], schema: TypeSchema | None = None) -> str:
    """The SHA-256 of the canonical state, in hexadecimal."""
    return hashlib.sha256(canonical(properties, schema)).hexdigest()


def _other(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
