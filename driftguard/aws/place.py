"""One account in one region, and the gateways to its services."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

from driftguard.aws.cloud_control import CloudControl
from driftguard.aws.cloudformation import CloudFormation
from driftguard.aws.cloudtrail import CloudTrail
from driftguard.aws.config import Config
from driftguard.aws.config_aggregate import ConfigAggregate
from driftguard.aws.gateway import Gateway
from driftguard.aws.organizations import Organizations
from driftguard.aws.services import S3, Ec2, Iam, Kms, S3Control, Sns, Sqs
from driftguard.aws.ssm import Ssm
from driftguard.aws.sts import Sts

G = TypeVar("G", bound=Gateway)


class Place:
    """Gateways that only read.  What changes AWS is made with `gateway` from ``aws.write``."""

    def __init__(
        self, client: Callable[[str], Any], account: str, region: str, partition: str = "aws"
    ) -> None:
        self._client = client
        self.account = account
        self.region = region
        self.partition = partition

    def __repr__(self) -> str:
        return f"Place({self.account}, {self.region})"

    def gateway(self, kind: type[G]) -> G:
        """A gateway of any kind for this place."""
        return kind(self._client, self.account, self.region)

    @cached_property
    def config(self) -> Config:
        return self.gateway(Config)

    @cached_property
    def config_aggregate(self) -> ConfigAggregate:
        return self.gateway(ConfigAggregate)

    @cached_property
    def cloudformation(self) -> CloudFormation:
        return self.gateway(CloudFormation)

    @cached_property
    def cloud_control(self) -> CloudControl:
        return self.gateway(CloudControl)

    @cached_property
    def cloudtrail(self) -> CloudTrail:
        return self.gateway(CloudTrail)

    @cached_property
    def ssm(self) -> Ssm:
        return self.gateway(Ssm)

    @cached_property
    def sts(self) -> Sts:
        return self.gateway(Sts)

    @cached_property
    def organizations(self) -> Organizations:
        return self.gateway(Organizations)

    @cached_property
    def iam(self) -> Iam:
        return self.gateway(Iam)

    @cached_property
    def ec2(self) -> Ec2:
        return self.gateway(Ec2)

    @cached_property
    def kms(self) -> Kms:
        return self.gateway(Kms)

    @cached_property
    def s3(self) -> S3:
        return self.gateway(S3)

    @cached_property
    def s3control(self) -> S3Control:
        return self.gateway(S3Control)

    @cached_property
    def sns(self) -> Sns:
        return self.gateway(Sns)

    @cached_property
    def sqs(self) -> Sqs:
        return self.gateway(Sqs)
