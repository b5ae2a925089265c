"""CloudFormation's own verdict: read, joined, and every disagreement explained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from driftguard.declared.native import NativeDrift, detect, explain_disagreement, joined, parse, parse_all
from driftguard.errors import AwsError
from driftguard.model import (
    DifferenceType,
    Drift,
    DriftStatus,
    Fold,
    NotChecked,
    PropertyDifference,
    ResourceKey,
)
from tests.shared_data import shared

AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


def _diff(path: str) -> PropertyDifference:
    return PropertyDifference(path=path, expected="1", actual="2", type=DifferenceType.NOT_EQUAL)


def _ours(status: DriftStatus = DriftStatus.IN_SYNC, **more: Any) -> Drift:
    key = ResourceKey(account="123456789012", region="eu-west-1", type="AWS::SNS::Topic", identifier="t")
    return Drift(key=key, status=status, stack_id="s", logical_id="T", **more)


def _native(status: str = "IN_SYNC", *paths: str, actual: Any = None) -> NativeDrift:
    found = tuple(_diff(path) for path in paths)
    return NativeDrift(
        stack_id="s",
        logical_id="T",
        physical_id="t",
        type="AWS::SNS::Topic",
        status=status,
        differences=found,
        actual=actual,
        at=AT,
    )


@pytest.mark.parametrize(
    ("ours", "native", "says"),
    [
        (_ours(), _native(), ""),
        (_ours(DriftStatus.MODIFIED, differences=(_diff("/A"),)), _native("MODIFIED", "/A"), ""),
        (_ours(DriftStatus.MODIFIED, differences=(_diff("/A/0/B"),)), _native("MODIFIED", "/A"), ""),
        (_ours(), _native("NOT_CHECKED"), "no native drift detection"),
        (_ours(DriftStatus.NOT_CHECKED), _native("NOT_CHECKED"), ""),
        (_ours(DriftStatus.NOT_CHECKED, not_checked=(NotChecked(path="/A", reason="ACCESS_DENIED"),)), _native("MODIFIED", "/A"), "driftguard did not check it (ACCESS_DENIED)"),
        (_ours(DriftStatus.DELETED), _native("MODIFIED", "/A"), "CloudFormation says MODIFIED at 2026-11-21 02:00 UTC, driftguard read it as DELETED"),
        (_ours(folded=(Fold(path="/A/0", rule="kms-alias"),)), _native("MODIFIED", "/A/0"), "mean the same (kms-alias)"),
        (_ours(not_checked=(NotChecked(path="/A", reason="WRITE_ONLY"),)), _native("MODIFIED", "/A"), "does not compare it (WRITE_ONLY)"),
        (_ours(reordered=("/A",)), _native("MODIFIED", "/A/3"), "only the order differs"),
        (_ours(), _native("MODIFIED", "/A"), "that the live state does not show any more"),
        (_ours(DriftStatus.MODIFIED, differences=(_diff("/A"),)), _native(actual={"B": 1}), "does not show this property"),
        (_ours(DriftStatus.MODIFIED, differences=(_diff("/A"),)), _native(actual={"A": 1}), "reported no difference; its value was 1"),
    ],
)  # fmt: skip
def test_a_disagreement_has_a_reason(ours: Drift, native: NativeDrift, says: str) -> None:
    reason = explain_disagreement(ours, native)
    assert says in reason
    assert bool(says) == bool(reason)


def test_the_verdicts_stand_beside_each_other() -> None:
    other = _ours(DriftStatus.MODIFIED)
    found = joined([_ours(), other], [_native("MODIFIED", "/A")])
    assert [item.native_status for item in found] == ["MODIFIED", "MODIFIED"]
    assert found[0].disagreement is not None
    assert joined([_ours()], [])[0].native_status is None


class Detecting:
    def __init__(self, rounds: int) -> None:
        self.rounds = rounds

    def detect_drift(self, stack_id: str, logical_ids: Any = None) -> str:
        return f"detection of {stack_id}"

    def drift_status(self, detection_id: str) -> dict[str, str]:
        assert detection_id == "detection of s"
        self.rounds -= 1
        return {"DetectionStatus": "DETECTION_IN_PROGRESS" if self.rounds > 0 else "DETECTION_FAILED"}

    def resource_drifts(self, stack_id: str, statuses: Any = None) -> Iterator[dict[str, Any]]:
        yield {"StackId": stack_id, "LogicalResourceId": "T", "StackResourceDriftStatus": "MODIFIED", "PropertyDifferences": [
            {"PropertyPath": "/A", "ExpectedValue": "null", "ActualValue": '{"x":1}', "DifferenceType": "ADD"}], "Timestamp": AT}  # fmt: skip


def test_a_detection_is_waited_for_and_its_results_kept_even_when_it_failed_for_some() -> None:
    slept: list[float] = []
    (found,) = detect(Detecting(3), "s", sleep=slept.append)
    assert len(slept) == 2
    assert (found.differences[0].expected, found.differences[0].actual, found.at) == (None, {"x": 1}, AT)


def test_a_detection_that_does_not_end_is_given_up() -> None:
    now = iter(range(0, 10_000, 100))
    with pytest.raises(AwsError, match="did not end in 300 seconds"):
        detect(
            Detecting(1_000), "s", timeout_seconds=300, sleep=lambda _: None, clock=lambda: float(next(now))
        )


def test_the_drift_answers_of_others_parse() -> None:
    rows: list[dict[str, Any]] = []
    for file in shared("data", "cfn-drift").rglob("*.json"):
        document = json.loads(file.read_text())
        if isinstance(document, dict):
            rows += document.get("StackResourceDrifts") or [
                document[k] for k in ("StackResourceDrift",) if k in document
            ]
    assert rows
    found = parse_all(rows)
    for native, row in zip(found, rows, strict=True):
        assert native.status == row["StackResourceDriftStatus"]
        assert [item.path for item in native.differences] == [
            item["PropertyPath"] for item in row.get("PropertyDifferences", [])
        ]
        assert native.expected is None or isinstance(native.expected, dict)
    assert parse({}).status == "NOT_CHECKED"
