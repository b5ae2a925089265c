"""What changes by itself, and what somebody changed."""

from __future__ import annotations

from typing import Any

import pytest

from driftguard.compare import compare_with_witness
from driftguard.schema import registry


@pytest.mark.parametrize(
    ("type_name", "then", "now", "changed"),
    [
        (
            "AWS::S3::Bucket",
            {"VersioningConfiguration": {"Status": "Enabled"}},
            {"VersioningConfiguration": {"Status": "Suspended"}},
            ["/VersioningConfiguration/Status"],
        ),
        (
            "AWS::S3::Bucket",
            {"LifecycleConfiguration": {"Rules": [{"Id": "a", "Status": "Enabled"}]}},
            {"LifecycleConfiguration": {"Rules": [{"Id": "a", "Status": "Disabled"}]}},
            ["/LifecycleConfiguration/Rules/0/Status"],
        ),
        ("AWS::IAM::AccessKey", {"Status": "Active"}, {"Status": "Inactive"}, ["/Status"]),
        (
            "AWS::ElasticLoadBalancingV2::TargetGroup",
            {"HealthyThresholdCount": 5},
            {"HealthyThresholdCount": 2},
            ["/HealthyThresholdCount"],
        ),
        ("AWS::ECS::Service", {"DesiredCount": 2}, {"DesiredCount": 6}, []),
        ("AWS::EKS::Cluster", {"Status": "ACTIVE"}, {"Status": "UPDATING"}, []),
    ],
)
def test_a_switch_that_somebody_turned_is_a_change(
    type_name: str, then: dict[str, Any], now: dict[str, Any], changed: list[str]
) -> None:
    schema = registry().get(type_name)
    found = compare_with_witness(now, then, schema, {}, resource_type=type_name)
    assert [value.path for value in found] == changed
    assert all(value.confirmed for value in found)
