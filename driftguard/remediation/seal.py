"""The plan file: canonical JSON, and the digest that an approval is bound to."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import orjson

from driftguard.errors import InputError, Where
from driftguard.model import Json, ResourceKey, Severity
from driftguard.model.remediation import ActionKind, Answer, Approval, Change, Cure, Plan, Refusal, Step

FORMAT = "driftguard-plan-2"
_UNSEALED = ("digest", "approvals")


def seal(plan: Plan) -> Plan:
    """The plan with the digest of all that it says, approvals aside."""
    return replace(plan, digest=digest_of(plan))


def digest_of(plan: Plan) -> str:
    """SHA-256 over the canonical JSON of the plan without its digest and its approvals, in hexadecimal."""
    data = {name: value for name, value in _plain(plan).items() if name not in _UNSEALED}
    return hashlib.sha256(canonical(data)).hexdigest()


def token_of(plan: Plan, step: Step, purpose: str = "apply") -> str:
    """The client token of a step: the same plan and step always give the same one.

    In the form that SSM asks for, a UUID:
    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartAutomationExecution.html
    """
    raw = hashlib.sha256(f"{plan.digest}\x1f{step.id}\x1f{purpose}".encode()).digest()
    return str(uuid.UUID(bytes=raw[:16], version=5))


def canonical(value: Json) -> bytes:
    """Sorted keys, no spaces, UTF-8."""
    return orjson.dumps(_plain(value), option=orjson.OPT_SORT_KEYS)


def to_json(plan: Plan) -> dict[str, Json]:
    """The plan as its file holds it."""
    return {"format": FORMAT, **_plain(plan)}


def write(plan: Plan, path: Path) -> None:
    """Write the plan file."""
    path.write_bytes(orjson.dumps(to_json(plan), option=orjson.OPT_INDENT_2) + b"\n")


def read(path: Path) -> Plan:
    """Read a plan file.  Raises `InputError` when it is none; a changed plan is refused later, by its digest."""
    try:
        data = orjson.loads(path.read_bytes())
    except OSError as error:
        raise InputError(
            f"the plan {path} cannot be read: {error.strerror}.",
            fix="`driftguard remediate plan` writes one.",
        ) from None
    except ValueError as error:
        raise InputError(f"the plan is not JSON: {error}.", where=Where(str(path))) from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InputError("this is not a plan of driftguard.", where=Where(str(path)))
    try:
        return from_json(data)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"the plan is damaged: {error}.", where=Where(str(path)), fix="Make a new plan."
        ) from None


def from_json(data: Mapping[str, Json]) -> Plan:
    """The inverse of `to_json`."""
    known = {field.name for field in fields(Plan)}
    unknown = set(data) - known - {"format", "summary"}
    if unknown:
        raise ValueError(f"unknown field {', '.join(sorted(unknown))}")
    given = {name: value for name, value in data.items() if name in known}
    for name in ("created_at", "expires_at"):
        given[name] = _instant(given[name])
    given["steps"] = tuple(_step(row) for row in given["steps"])
    given["left"] = tuple(_refusal(row) for row in given.get("left", ()))
    given["approvals"] = tuple(
        Approval(**{**row, "at": _instant(row["at"])}) for row in given.get("approvals", ())
    )
    given["alarms"] = tuple(given.get("alarms", ()))
    return Plan(**given)


def _step(row: Mapping[str, Json]) -> Step:
    return Step(
        **{
            **row,
            "key": ResourceKey(**row["key"]),
            "severity": Severity(row["severity"]),
            "cure": Cure(row["cure"]),
            "action": ActionKind(row["action"]),
            "expected": tuple(Change(**change) for change in row.get("expected", ())),
            "findings": tuple(row.get("findings", ())),
            "also": tuple(row.get("also", ())),
        }
    )


def _refusal(row: Mapping[str, Json]) -> Refusal:
    return Refusal(**{**row, "answers": tuple(Answer(**one) for one in row.get("answers", ()))})


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no offset from UTC")
    return moment


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(_plain(item) for item in value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
