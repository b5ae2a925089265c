"""Repository, deployed and live: which two differ."""

from __future__ import annotations

from typing import Any

import pytest

from driftguard.declared.three_way import three_way
from driftguard.model import (
    DeclaredResource,
    DifferenceType,
    Drift,
    DriftStatus,
    Partial,
    ResourceKey,
    ThreeWayVerdict,
    Unknown,
)

KEY = ResourceKey(account="123456789012", region="eu-west-1", type="AWS::SNS::Topic", identifier="t")
MODIFIED, IN_SYNC = (Drift(key=KEY, status=status) for status in (DriftStatus.MODIFIED, DriftStatus.IN_SYNC))


def _declared(
    properties: dict[str, Any] | None, type_name: str = "AWS::SNS::Topic"
) -> list[DeclaredResource]:
    return (
        []
        if properties is None
        else [DeclaredResource(type=type_name, logical_id="T", properties=properties)]
    )


@pytest.mark.parametrize(
    ("repository", "deployed", "drift", "repository_drift", "verdict"),
    [
        ({"A": 1}, {"A": 1}, IN_SYNC, None, ThreeWayVerdict.ALL_EQUAL),
        ({"A": "1"}, {"A": 1}, IN_SYNC, None, ThreeWayVerdict.ALL_EQUAL),
        ({"A": 2}, {"A": 1}, IN_SYNC, None, ThreeWayVerdict.NOT_DEPLOYED),
        ({"A": 1}, {"A": 1}, MODIFIED, None, ThreeWayVerdict.DRIFTED),
        ({"A": 2}, {"A": 1}, MODIFIED, IN_SYNC, ThreeWayVerdict.ADOPTED),
        ({"A": 2}, {"A": 1}, MODIFIED, MODIFIED, ThreeWayVerdict.ALL_DIFFER),
        ({"A": 1}, None, None, None, ThreeWayVerdict.ONLY_IN_REPOSITORY),
        (None, {"A": 1}, IN_SYNC, None, ThreeWayVerdict.ONLY_DEPLOYED),
        ({"A": Unknown("x")}, {"A": 1}, IN_SYNC, None, ThreeWayVerdict.ALL_EQUAL),
        ({"A": "한글"}, {"A": Partial((Unknown("masked", 2),))}, IN_SYNC, None, ThreeWayVerdict.ALL_EQUAL),
        ({"A": '{"x": "\ud55c"}'}, {"A": {"x": Partial((Unknown("masked", 1),))}}, IN_SYNC, None, ThreeWayVerdict.ALL_EQUAL),
        ({"A": "plain"}, {"A": Partial((Unknown("masked", 2),))}, IN_SYNC, None, ThreeWayVerdict.NOT_DEPLOYED),
    ],
)  # fmt: skip
def test_the_verdict_names_who_differs(
    repository: dict[str, Any] | None,
    deployed: dict[str, Any] | None,
    drift: Drift | None,
    repository_drift: Drift | None,
    verdict: ThreeWayVerdict,
) -> None:
    (found,) = three_way(
        _declared(repository),
        _declared(deployed),
        {"T": drift} if drift else {},
        {"T": repository_drift} if repository_drift else None,
    )
    assert found.verdict is verdict


def test_every_undeployed_change_has_its_path() -> None:
    one = {"A": [{"B": 1}, {"B": 2}], "New": "x", "L": [1], "~": 1}
    other = {"A": [{"B": 1}, {"B": 3}], "Old": "y", "L": [1, 2], "~": 2}
    (found,) = three_way(_declared(one), _declared(other), {})
    assert {(item.path, item.type) for item in found.undeployed} == {
        ("/A/1/B", DifferenceType.NOT_EQUAL),
        ("/New", DifferenceType.REMOVE),
        ("/Old", DifferenceType.ADD),
        ("/L", DifferenceType.NOT_EQUAL),
        ("/~0", DifferenceType.NOT_EQUAL),
    }
    (changed,) = three_way(_declared({}), _declared({}, "AWS::SQS::Queue"), {})
    assert [item.path for item in changed.undeployed] == ["/Type"]
