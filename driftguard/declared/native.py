"""CloudFormation's own drift results: run, read, put beside ours, and the difference explained.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from driftguard.errors import AwsError
from driftguard.model import DifferenceType, Drift, DriftStatus, Json, PropertyDifference, StackState

_FIRST_POLL_SECONDS, _LONGEST_POLL_SECONDS = 0.25, 5.0


class DriftGateway(Protocol):
    """CloudFormation's drift detection; answers are boto3's own dicts."""

    def detect_drift(self, stack_id: str, logical_ids: Sequence[str] | None = None) -> str:
        """DetectStackDrift: answers the detection's id."""

    def drift_status(self, detection_id: str) -> Mapping[str, Json]:
        """DescribeStackDriftDetectionStatus."""

    def resource_drifts(
        self, stack_id: str, statuses: Sequence[str] | None = None
    ) -> Iterator[Mapping[str, Json]]:
        """DescribeStackResourceDrifts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeDrift:
    """What CloudFormation says of one resource.  ``status`` is its StackResourceDriftStatus."""

    stack_id: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    differences: tuple[PropertyDifference, ...] = ()
    expected: Json = None
    actual: Json = None
    at: datetime | None = None


def detect(
    gateway: DriftGateway,
    stack_id: str,
    *,
    timeout_seconds: float = 900.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[NativeDrift, ...]:
    """Have CloudFormation check one stack and answer its results.

    A detection that fails for some resources still has results for the rest.  Raises `AwsError` when it
    does not end in ``timeout_seconds``.
    """
    detection = gateway.detect_drift(stack_id)
    deadline = clock() + timeout_seconds
    pause = _FIRST_POLL_SECONDS
    while gateway.drift_status(detection).get("DetectionStatus") == "DETECTION_IN_PROGRESS":
        if clock() >= deadline:
            raise AwsError(
                f"the drift detection of {stack_id} did not end in {timeout_seconds:.0f} seconds.",
                action="cloudformation:DescribeStackDriftDetectionStatus",
                fix="Scan again later; driftguard's own comparison does not depend on it.",
            )
        sleep(pause)
        pause = min(2 * pause, _LONGEST_POLL_SECONDS)
    return parse_all(gateway.resource_drifts(stack_id))


def parse_all(rows: Iterable[Mapping[str, Json]]) -> tuple[NativeDrift, ...]:
    """`parse` for the rows of a DescribeStackResourceDrifts answer."""
    return tuple(parse(row) for row in rows)


def parse(row: Mapping[str, Json]) -> NativeDrift:
    """One StackResourceDrift.  Documents in strings are decoded; what is no JSON stays text."""
    return NativeDrift(
        stack_id=str(row.get("StackId", "")),
        logical_id=str(row.get("LogicalResourceId", "")),
        physical_id=str(row.get("PhysicalResourceId", "")),
        type=str(row.get("ResourceType", "")),
        status=str(row.get("StackResourceDriftStatus", "NOT_CHECKED")),
        differences=tuple(
            PropertyDifference(
                path=str(item["PropertyPath"]),
                expected=_decoded(item.get("ExpectedValue")),
                actual=_decoded(item.get("ActualValue")),
                type=DifferenceType(item["DifferenceType"]),
                rule="cloudformation",
            )
            for item in row.get("PropertyDifferences") or ()
        ),
        expected=_decoded(row.get("ExpectedProperties")),
        actual=_decoded(row.get("ActualProperties")),
        at=_instant(row.get("Timestamp")),
    )


def _decoded(text: Json) -> Json:
    if not isinstance(text, str):
        return text
    if text == "null":
        return None
    if text[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _instant(value: Json) -> datetime | None:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def joined(drifts: Iterable[Drift], native: Iterable[NativeDrift]) -> tuple[Drift, ...]:
    """Our drifts with CloudFormation's verdict and the reason for a disagreement put beside them."""
    found = {(item.stack_id, item.logical_id): item for item in native}
    result = []
    for drift in drifts:
        theirs = found.get((drift.stack_id, drift.logical_id))
        if theirs is None:
            result.append(drift)
            continue
        reason = explain_disagreement(drift, theirs)
        result.append(replace(drift, native_status=theirs.status, disagreement=reason or None))
    return tuple(result)


def checked(stacks: Iterable[StackState], native: Iterable[NativeDrift]) -> list[StackState]:
    """``stacks`` with what the detection of this scan says of them: they were described before it ran."""
    found: dict[str, list[NativeDrift]] = defaultdict(list)
    for one in native:
        found[one.stack_id].append(one)
    return [_checked(stack, found[stack.stack_id]) if stack.stack_id in found else stack for stack in stacks]


def _checked(stack: StackState, native: Sequence[NativeDrift]) -> StackState:
    drifted = any(one.status in ("MODIFIED", "DELETED") for one in native)
    times = [one.at for one in native if one.at is not None]
    return replace(
        stack,
        drift_status="DRIFTED" if drifted else "IN_SYNC",
        last_drift_check=max(times, default=stack.last_drift_check),
    )


def explain_disagreement(ours: Drift, native: NativeDrift) -> str:
    """Why CloudFormation and driftguard differ about one resource; empty when they agree."""
    if native.status in ("NOT_CHECKED", "UNSUPPORTED"):
        if ours.status in (DriftStatus.NOT_CHECKED, DriftStatus.UNSUPPORTED, DriftStatus.UNKNOWN):
            return ""
        return f"CloudFormation did not check it: {ours.key.type} has no native drift detection."
    if ours.status in (DriftStatus.NOT_CHECKED, DriftStatus.UNSUPPORTED, DriftStatus.UNKNOWN):
        return f"driftguard did not check it ({_unchecked(ours)}); CloudFormation says {native.status}."
    if DriftStatus.DELETED in (ours.status, native.status) and ours.status != native.status:
        return f"CloudFormation says {native.status}{_when(native)}, driftguard read it as {ours.status}."
    theirs = {_general(item.path) for item in native.differences}
    mine = {_general(item.path) for item in ours.differences}
    reasons = [
        _why_only_theirs(ours, path, native) for path in sorted(theirs - mine) if not _covered(path, mine)
    ]
    reasons += [_why_only_ours(native, path) for path in sorted(mine - theirs) if not _covered(path, theirs)]
    return " ".join(reasons)


def _why_only_theirs(ours: Drift, path: str, native: NativeDrift) -> str:
    for fold in ours.folded:
        if _related(_general(fold.path), path):
            return f"{path}: driftguard found both values to mean the same ({fold.rule})."
    for entry in ours.not_checked:
        if _related(_general(entry.path), path):
            return f"{path}: driftguard does not compare it ({entry.reason})."
    if any(_related(_general(entry), path) for entry in ours.reordered):
        return f"{path}: only the order differs."
    return (
        f"{path}: CloudFormation saw a difference{_when(native)} that the live state does not show any more."
    )


def _why_only_ours(native: NativeDrift, path: str) -> str:
    found, value = _at(native.actual, path)
    if isinstance(native.actual, Mapping) and not found:
        return f"{path}: CloudFormation's answer does not show this property."
    return f"{path}: CloudFormation compared it{_when(native)} and reported no difference; its value was {_short(value)}."


def _unchecked(ours: Drift) -> str:
    return ", ".join(dict.fromkeys(entry.reason for entry in ours.not_checked)) or str(ours.status)


def _when(native: NativeDrift) -> str:
    return f" at {native.at:%Y-%m-%d %H:%M} UTC" if native.at else ""


def _general(path: str) -> str:
    return "/".join("*" if step.isdecimal() else step for step in path.split("/"))


def _related(one: str, other: str) -> bool:
    return one == other or one.startswith(other + "/") or other.startswith(one + "/")


def _covered(path: str, others: set[str]) -> bool:
    """Both name the same difference at another depth."""
    return any(_related(path, other) for other in others)


def _at(value: Json, path: str) -> tuple[bool, Json]:
    for step in path.split("/")[1:]:
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and (step == "*" or step.isdecimal()):
            return True, value
        else:
            return False, None
    return True, value


def _short(value: Json) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
