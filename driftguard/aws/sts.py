"""STS: who we are, and how we become somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from driftguard.aws.actions import reads
from driftguard.aws.gateway import Gateway


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The caller, as AWS sees it."""

    account: str
    arn: str
    user_id: str
    partition: str = "aws"


class Sts(Gateway):
    SERVICE = "sts"
    PREFIX = "sts"

    @reads("sts:GetCallerIdentity")
    def identity(self) -> Identity:
        """Who the credentials belong to."""
        answer = self.call("GetCallerIdentity")
        arn = str(answer["Arn"])
        return Identity(
            account=answer["Account"], arn=arn, user_id=answer["UserId"], partition=arn.split(":")[1]
        )

    @reads("sts:AssumeRole", "sts:TagSession")
    def assume(
        self,
        role_arn: str,
        session_name: str,
        *,
        external_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        seconds: int = 3600,
    ) -> Mapping[str, Any]:
        """Temporary credentials of a role: AccessKeyId, SecretAccessKey, SessionToken, Expiration."""
        answer = self.call(
            "AssumeRole",
            RoleArn=role_arn,
            RoleSessionName=session_name,
            ExternalId=external_id,
            DurationSeconds=seconds,
            Tags=[{"Key": key, "Value": value} for key, value in sorted(tags.items())] if tags else None,
        )
        credentials: Mapping[str, Any] = answer["Credentials"]
        return credentials
