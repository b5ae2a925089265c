"""An Auto Scaling group that CodeDeploy replaced by a copy is gone by design."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from driftguard.model import DeclaredResource, DriftStatus, Snapshot
from driftguard.model.resource import Tolerance
from driftguard.scan.decide import coverage
from driftguard.scan.drifts import Comparer, Rules
from driftguard.scan.readings import Memory, Readings

NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tolerated", "status", "checked"),
    [
        ((Tolerance(path="", owner="CodeDeploy blue/green"),), DriftStatus.NOT_CHECKED, 0),
        ((Tolerance(path="/DesiredCapacity", owner="Auto Scaling"),), DriftStatus.DELETED, 1),
        ((), DriftStatus.DELETED, 1),
    ],
)
def test_gone_is_drift_unless_somebody_replaces_it(
    tolerated: tuple[Tolerance, ...], status: DriftStatus, checked: int
) -> None:
    group = DeclaredResource(
        type="AWS::AutoScaling::AutoScalingGroup",
        logical_id="Group",
        properties={"MinSize": "1"},
        account="111111111111",
        region="us-east-1",
        identifier="group",
        tolerated=tolerated,
    )
    assert group.key is not None
    snapshot = Snapshot(taken_at=NOW, resources={}, deleted=frozenset({group.key}))
    comparer = Comparer(
        Readings(declared=[group], snapshot=snapshot), Memory(), Rules(), lambda _, given: given
    )
    (drift,) = comparer.drifts()
    assert drift.status is status
    assert coverage([drift]).checked == checked
    assert [gap.detail for gap in drift.not_checked if "CodeDeploy" in gap.detail] == [
        gap.detail for gap in drift.not_checked
    ]
