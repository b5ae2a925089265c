"""A value as an engineer says it, in one line: ``tcp 22 from 0.0.0.0/0`` rather than its JSON.  Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from driftguard.model.markup import visible
from driftguard.model.resource import Json

_FLAT_KEYS = 6
_SOURCES = (
    "CidrIp",
    "CidrIpv6",
    "SourcePrefixListId",
    "SourceSecurityGroupId",
    "SourceSecurityGroupName",
    "DestinationPrefixListId",
    "DestinationSecurityGroupId",
)
_RULE = {"IpProtocol", "FromPort", "ToPort", "Description", "SourceSecurityGroupOwnerId", *_SOURCES}


def phrase(value: Json) -> str:
    """``value`` in few words; what has no shorter form is compact JSON.  Nothing is left out."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return visible(" ".join(value.split())) or '""'
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, list | tuple):
        return ", ".join(f"[{phrase(one)}]" if _many(one) else phrase(one) for one in value) or "[]"
    return _json(value)


def _object(value: Mapping[str, Json]) -> str:
    keys = set(value)
    if not value:
        return "{}"
    if keys == {"$redacted"}:
        return f"•••••• ({value['$redacted']})"
    if "IpProtocol" in keys and keys <= _RULE:
        return _rule(value)
    if keys == {"Key", "Value"}:
        return f"{phrase(value['Key'])}={phrase(value['Value'])}"
    if keys == {"PolicyName", "PolicyDocument"}:
        return f"{phrase(value['PolicyName'])}: {phrase(value['PolicyDocument'])}"
    if "Statement" in keys and keys <= {"Version", "Statement", "Id"}:
        found = value["Statement"]
        return "; ".join(map(phrase, found if isinstance(found, list) else [found]))
    if {"Effect", "Action"} <= keys and keys <= {"Sid", "Effect", "Action", "Resource", "Principal"}:
        return _statement(value)
    if len(keys) <= _FLAT_KEYS and not any(isinstance(one, Mapping | list | tuple) for one in value.values()):
        return ", ".join(f"{key}: {phrase(one)}" for key, one in value.items())
    return _json(value)


def _rule(value: Mapping[str, Json]) -> str:
    """A security group's rule: protocol, ports, the other side, and why."""
    protocol = "all traffic" if str(value["IpProtocol"]) == "-1" else str(value["IpProtocol"])
    first, last = value.get("FromPort"), value.get("ToPort")
    ports = "" if first is None else f" {first}" if first in (last, None) else f" {first}-{last}"
    sides = [str(value[name]) for name in _SOURCES if value.get(name) is not None]
    way = "to" if any(name.startswith("Destination") for name in value) else "from"
    owner = value.get("SourceSecurityGroupOwnerId")
    others = f" {way} {', '.join(sides)}" if sides else ""
    why = f" ({value['Description']})" if value.get("Description") else ""
    return f"{protocol}{ports}{others}{f' of {owner}' if owner else ''}{why}"


def _statement(value: Mapping[str, Json]) -> str:
    """``Allow s3:GetObject on arn:... to 111111111111``"""
    parts = [str(value["Effect"]), _names(value["Action"])]
    if "Resource" in value:
        parts += ["on", _names(value["Resource"])]
    if "Principal" in value:
        parts += ["to", _names(value["Principal"])]
    return " ".join(parts)


def _names(value: Json) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_names(one)}" for key, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _many(value: Json) -> bool:
    """Whether ``value`` says several things, so that it needs brackets in a list."""
    return isinstance(value, list | tuple) or (isinstance(value, Mapping) and ", " in phrase(value))


def _json(value: Json) -> str:
    return visible(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str))
