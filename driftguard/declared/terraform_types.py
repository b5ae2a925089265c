"""Terraform's type names in CloudFormation's words, where there is a CloudFormation type at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from driftguard.schema.registry import registry

_TABLE = Path(__file__).parent / "data" / "terraform_types.json"


@lru_cache(maxsize=4096)
def cloudformation_type(terraform_type: str) -> str | None:
    """``aws_sqs_queue`` -> ``AWS::SQS::Queue``; ``None`` when no public CloudFormation type matches.

    A few names stand in a table; the rest match when service and name are the same letters.
    """
    table = _table()
    if terraform_type in table["types"]:
        found: str | None = table["types"][terraform_type]
        return found
    if not terraform_type.startswith("aws_"):
        return None
    name = terraform_type.removeprefix("aws_")
    for prefix, service in sorted(table["services"].items(), key=lambda item: -len(item[0])):
        if name.startswith(prefix + "_"):
            match = _index().get(_letters(service + name[len(prefix) :]))
            if match is not None:
                return match
    return _index().get(_letters(name)) or _index().get(_letters("EC2" + name))


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


@lru_cache(maxsize=1)
def _index() -> Mapping[str, str]:
    return {_letters(name[5:]): name for name in registry().types() if name.startswith("AWS::")}


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Any]:
    table: dict[str, Any] = orjson.loads(_TABLE.read_bytes())
    return table
