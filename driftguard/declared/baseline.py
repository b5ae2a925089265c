"""Recorded baselines: a live state that somebody accepted, kept as a file and used as declared state.

::

    baseline: 1
    owner: platform@example.com
    reason: accepted after the migration
    recorded_at: 2026-11-21T02:00:00+00:00
    resources:
      - account: "111111111111"
        region: eu-west-1
        type: AWS::S3::Bucket
        identifier: invoices
        properties: {BucketName: invoices}
        ignore: [/Tags]

Files stand in ``policies/baselines``.  A value under a secret's name is never written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from driftguard.compare.witness import changes_by_itself
from driftguard.declared.positions import Locations, Positions
from driftguard.declared.secrets import REDACTED, blanked
from driftguard.declared.template import parse_document, read_text
from driftguard.errors import InputError, Where
from driftguard.model import DeclaredResource, Json, Resource, Unknown
from driftguard.model.resource import Tolerance
from driftguard.schema import registry

MARK = "$redacted"
"""How the store shows a secret."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    account: str = Field(pattern=r"^\d{12}$")
    region: str = Field(min_length=1)
    partition: str = "aws"
    type: str = Field(pattern=r"^[A-Za-z0-9]+(::[A-Za-z0-9]+)+$")
    identifier: str = Field(min_length=1)
    properties: dict[str, Any]
    ignore: list[str] = []


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    baseline: Literal[1]
    owner: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    recorded_at: AwareDatetime
    resources: list[_Entry]


def load_baseline(path: Path) -> tuple[DeclaredResource, ...]:
    """The resources of a baseline file, as declared state.

    Raises `InputError` (`TemplateError` for broken YAML) with file and line.
    """
    document, positions = parse_document(read_text(path), str(path))
    try:
        file = _File.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = positions.find(tuple(first["loc"]))
        field = ".".join(str(step) for step in first["loc"]) or "the file"
        raise InputError(
            f"{field}: {first['msg'][0].lower() + first['msg'][1:]}.", where=Where(place.file, place.line)
        ) from None
    return tuple(_declared(entry, index, file, positions) for index, entry in enumerate(file.resources))


def _declared(entry: _Entry, index: int, file: _File, positions: Positions) -> DeclaredResource:
    properties = _known(entry.properties)
    owner = f"baseline of {file.owner}"
    return DeclaredResource(
        type=entry.type,
        logical_id=entry.identifier,
        properties=properties,
        account=entry.account,
        region=entry.region,
        partition=entry.partition,
        stack_name="baseline",
        physical_id=entry.identifier,
        identifier=entry.identifier,
        attributes={"Owner": file.owner, "Reason": file.reason, "RecordedAt": file.recorded_at.isoformat()},
        locations=Locations(positions, ("resources", index), properties, {}, "properties"),
        tolerated=tuple(Tolerance(path=pointer, owner=owner) for pointer in entry.ignore),
    )


def _known(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: _known(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_known(item) for item in value]
    return Unknown("a sensitive value, which a baseline does not hold") if value == REDACTED else value


def dump_baseline(
    resources: Iterable[Resource],
    *,
    owner: str,
    reason: str,
    recorded_at: datetime,
    ignore: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """The text of a baseline file, resources in the order of their keys.

    ``ignore`` maps an identifier to pointers of properties that are not part of the baseline.
    """
    entries = []
    for resource in sorted(resources, key=lambda item: item.key):
        key = resource.key
        entry: dict[str, Json] = {
            "account": key.account,
            "region": key.region,
            "partition": key.partition,
            "type": key.type,
            "identifier": key.identifier,
            "properties": _lasting(resource),
        }
        pointers = (ignore or {}).get(key.identifier)
        if pointers:
            entry["ignore"] = list(pointers)
        entries.append(entry)
    document = {
        "baseline": 1,
        "owner": owner,
        "reason": reason,
        "recorded_at": recorded_at.isoformat(),
        "resources": entries,
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


_OUT_OF_STORE = re.compile(r"\[redacted:[0-9a-f]+\]")


def _lasting(resource: Resource) -> Json:
    """What of a live state can be held against a later one: no secrets, nothing that AWS or time changes."""
    schema = registry().get(resource.type)

    def kept(value: Json, path: tuple[str, ...]) -> Json:
        if isinstance(value, Mapping):
            if MARK in value:
                return REDACTED
            return {
                name: kept(child, (*path, name))
                for name, child in value.items()
                if not changes_by_itself(schema, resource.type, (*path, name), (child,))
            }
        if isinstance(value, list):
            return [kept(child, (*path, "*")) for child in value]
        return REDACTED if isinstance(value, str) and _OUT_OF_STORE.search(value) else value

    return blanked(kept(dict(resource.properties), ()))
