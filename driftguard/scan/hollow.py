"""What templates declare and AWS does not hold.  Pure."""

from __future__ import annotations

from collections.abc import Iterable

from driftguard.model import DeclaredResource

_HOLLOW = (
    "AWS::CDK::Metadata",
    "AWS::CloudFormation::WaitCondition",
    "AWS::CloudFormation::WaitConditionHandle",
)


def solid(declared: Iterable[DeclaredResource]) -> tuple[DeclaredResource, ...]:
    """Without the resources that stand for nothing in AWS: there is nothing there that could drift."""
    return tuple(one for one in declared if one.type not in _HOLLOW)
