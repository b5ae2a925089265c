"""What a run says is wrong, as findings that do not know the past yet."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from driftguard.history.codec import text
from driftguard.history.severity import of_property, of_unmanaged, worst
from driftguard.model import (
    ComplianceType,
    Drift,
    DriftStatus,
    Evaluation,
    Finding,
    FindingKind,
    FindingStatus,
    Json,
    Location,
    PolicySummary,
    Resource,
    Severity,
    fingerprint,
)
from driftguard.model.phrase import phrase

_INDEX = re.compile(r"(?<=/)(\d+|-)(?=/|$)")
_OWNER_TAGS = ("owner", "team", "service-owner", "contact")


@dataclass(frozen=True, slots=True)
class Fault:
    """A finding as one run sees it, with the place that waivers select by."""

    finding: Finding
    path: str
    tags: Mapping[str, str]


def normalise(path: str) -> str:
    """A JSON pointer without list indices: ``/Rules/3/Id`` -> ``/Rules/*/Id``."""
    return _INDEX.sub("*", path)


def within(one: str, other: str) -> bool:
    """Whether one pointer is the other, or stands above or below it."""
    return one == other or one.startswith(other + "/") or other.startswith(one + "/")


def owner_of(tags: Mapping[str, str]) -> str:
    """Who a resource's tags say is responsible."""
    folded = {name.lower(): value for name, value in tags.items()}
    return next((folded[name] for name in _OWNER_TAGS if folded.get(name)), "")


def moved_on(before: Finding, now: Finding) -> bool:
    """Whether one value is wrong in another way than it was; told only where no secret hides which.

    Who made it what it was is not who made it what it is.
    """
    was, is_now = _single(before.detail), _single(now.detail)
    return was is not None and is_now is not None and was[0] == is_now[0] and was[1] != is_now[1]


def _single(detail: str) -> tuple[str, Json] | None:
    """The path and the value of a finding about one value."""
    try:
        told = orjson.loads(detail or "{}")
    except orjson.JSONDecodeError:
        return None
    listed = [*told.get("differences", ()), *told.get("undeclared", ())]
    if len(listed) != 1 or "redacted" in detail:
        return None
    value = listed[0].get("actual", listed[0].get("value"))
    return (listed[0]["path"], value) if isinstance(value, str | int | float) else None


@dataclass(frozen=True, slots=True)
class _Seen:
    """Where and when faults of one resource were seen."""

    drift: Drift
    resource: Resource | None
    now: datetime
    run_id: str

    @property
    def tags(self) -> Mapping[str, str]:
        return self.resource.tags if self.resource is not None else {}


def of_drift(drift: Drift, resource: Resource | None, now: datetime, run_id: str) -> Iterator[Fault]:
    """The faults of one compared resource: one per property, whatever the number of list elements.

    ``resource`` is its live state, where it has one.
    """
    seen = _Seen(drift, resource, now, run_id)
    if drift.status is DriftStatus.DELETED:
        message = "It is declared, and AWS does not have it any more."
        yield _fault(seen, FindingKind.DRIFT, "", Severity.HIGH, "is deleted", message)
    elif drift.status is DriftStatus.UNMANAGED:
        message = "No stack declares it."
        severity = of_unmanaged(drift.key.type, resource.properties if resource is not None else {})
        yield _fault(seen, FindingKind.UNMANAGED, "", severity, "is not managed", message)
    else:
        yield from _declared(seen)
        yield from _undeclared(seen)


def _declared(seen: _Seen) -> Iterator[Fault]:
    by_subject: dict[str, list[Json]] = defaultdict(list)
    for item in seen.drift.differences:
        part = {"path": item.path, "expected": item.expected, "actual": item.actual, "type": item.type.value}
        by_subject[normalise(item.path)].append(part | _declared_at(item.location, item.parameter))
    for subject, listed in by_subject.items():
        severity = of_property(seen.drift.key.type, subject)
        message = f"The template says {brief(listed[0]['expected'])}, AWS has {brief(listed[0]['actual'])}."
        if len(listed) > 1:
            message += f" {len(listed)} elements differ."
        what, detail = f"differs at {subject}", {"differences": listed}
        yield _fault(seen, FindingKind.DRIFT, subject, severity, what, message, detail)


def _declared_at(location: Location | None, parameter: str) -> dict[str, Json]:
    """The place in the template, for people and for `driftguard.history.causes`."""
    place: dict[str, Json] = {"file": location.file, "line": location.line} if location is not None else {}
    return place | ({"parameter": parameter} if parameter else {})


def _undeclared(seen: _Seen) -> Iterator[Fault]:
    by_subject: dict[str, list[Json]] = defaultdict(list)
    for value in seen.drift.undeclared:
        if value.confirmed:
            before: dict[str, Json] = {} if value.was_absent else {"was": value.was}
            by_subject[normalise(value.path)].append({"path": value.path, "value": value.value, **before})
    for subject, listed in by_subject.items():
        was = brief(listed[0]["was"]) if "was" in listed[0] else "nothing"
        severity = of_property(seen.drift.key.type, subject)
        message = f"It was {was} when it was last accepted, and is {brief(listed[0]['value'])} now."
        what, detail = f"changed at {subject}, which no template declares", {"undeclared": listed}
        yield _fault(seen, FindingKind.UNDECLARED, subject, severity, what, message, detail)


def _fault(
    seen: _Seen,
    kind: FindingKind,
    subject: str,
    severity: Severity,
    what: str,
    message: str,
    detail: Mapping[str, Json] | None = None,
) -> Fault:
    drift, tags, now, run_id = seen.drift, seen.tags, seen.now, seen.run_id
    name = drift.logical_id or drift.physical_id or drift.key.identifier
    finding = Finding(
        fingerprint=fingerprint(kind, drift.key, subject),
        kind=kind,
        key=drift.key,
        subject=subject,
        severity=severity,
        title=f"{name} {what}",
        status=FindingStatus.NEW,
        first_seen=now,
        last_seen=now,
        message=message,
        stack=drift.stack,
        logical_id=drift.logical_id,
        physical_id=drift.physical_id,
        opened_run=run_id,
        last_run=run_id,
        changed_by=drift.acts.get(subject, None if drift.acts else drift.changed_by),
        owner=owner_of(tags),
        detail=text(detail) if detail else "",
    )
    return Fault(finding, subject, tags)


def of_evaluations(
    evaluations: Iterable[Evaluation],
    policies: Mapping[str, PolicySummary],
    tags: Mapping[str, str],
    now: datetime,
    run_id: str,
) -> Fault | None:
    """The fault of one policy on one resource; several judges of the same policy make one finding."""
    failed = [e for e in evaluations if e.compliance is ComplianceType.NON_COMPLIANT]
    if not failed:
        return None
    first = failed[0]
    policy = policies.get(first.policy)
    detail = {
        "path": first.path,
        "parameters": dict(first.parameters),
        "judges": sorted({evaluation.judge for evaluation in failed}),
        **_declared_at(first.location, first.template_parameter),
    }
    finding = Finding(
        fingerprint=fingerprint(FindingKind.COMPLIANCE, first.key, first.policy),
        kind=FindingKind.COMPLIANCE,
        key=first.key,
        subject=first.policy,
        severity=worst(evaluation.severity for evaluation in failed),
        title=policy.title if policy and policy.title else first.policy,
        status=FindingStatus.NEW,
        first_seen=now,
        last_seen=now,
        message=first.message,
        stack=first.stack,
        logical_id=first.logical_id,
        opened_run=run_id,
        last_run=run_id,
        owner=owner_of(tags),
        remedy=policy.remedy if policy else None,
        detail=text(detail),
    )
    return Fault(finding, first.path, tags)


def place_of(finding: Finding) -> str:
    """The property at fault, as the finding itself keeps it."""
    if finding.kind is not FindingKind.COMPLIANCE:
        return finding.subject
    try:
        detail = orjson.loads(finding.detail or "{}")
    except orjson.JSONDecodeError:
        return ""
    return str(detail.get("path", "")) if isinstance(detail, dict) else ""


def brief(value: Json, limit: int = 80) -> str:
    """A value in a sentence."""
    shown = "nothing" if value is None else phrase(value)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
