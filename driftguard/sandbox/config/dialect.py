"""The two dialects of configuration items.

Types that AWS Config learnt early show the Describe answer of their service as the AWS SDK for Java serialises it:
keys with the first letter lowered (`dBInstanceIdentifier`, `vPCZoneIdentifier`), or, for services on the newer
serialiser, with the whole leading run of capitals lowered (`awsaccountId`, `kmskeyArn`, `ssedescription`), instants
then in milliseconds. Types learnt later are in CloudFormation shape. Derived from the key lists that AWS publishes
(awslabs/aws-config-resource-schema) and from recorded items.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote

from botocore.model import ListShape, MapShape, Shape, StructureShape

Casing = Literal["first", "run"]


def lowered_key(key: str, casing: Casing) -> str:
    """`DBName` as `dBName` (first) or `dbname` (run)."""
    if casing == "run" and (match := re.match(r"[A-Z]{2,}", key)):
        return match.group().lower() + key[match.end() :]
    return key[:1].lower() + key[1:]


def lowered(value: Any, shape: Shape | None, casing: Casing) -> Any:
    """An answer of boto3 in the early dialect; keys of maps (variables, labels) are data and stay."""
    if isinstance(value, dt.datetime):
        return instant(value, casing)
    if isinstance(value, Mapping):
        if isinstance(shape, MapShape):
            return {key: lowered(inner, shape.value, casing) for key, inner in value.items()}
        members = shape.members if isinstance(shape, StructureShape) else {}
        return {
            lowered_key(key, casing): lowered(inner, members.get(key), casing) for key, inner in value.items()
        }
    if isinstance(value, list):
        member = shape.member if isinstance(shape, ListShape) else None
        return [lowered(inner, member, casing) for inner in value]
    return plain(value)


def instant(value: dt.datetime, casing: Casing = "first") -> Any:
    """An instant as the dialect writes it: ISO text, or milliseconds since 1970."""
    if casing == "run":
        return int(value.timestamp() * 1000)
    return iso(value)


def iso(value: dt.datetime) -> str:
    """`2017-02-04T11:06:27.000Z`."""
    return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"


def plain(value: Any) -> Any:
    """A value that JSON can carry."""
    if isinstance(value, dt.datetime):
        return iso(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


def url_encoded(document: Any) -> str:
    """A policy document as IAM returns it: URL-encoded JSON."""
    text = document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))
    return quote(text, safe="")
