"""Small gateways: services of which one or two answers are needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from driftguard.aws.actions import reads
from driftguard.aws.gateway import Gateway
from driftguard.errors import GoneError

Answer = Mapping[str, Any]


class Ec2(Gateway):
    SERVICE = "ec2"
    PREFIX = "ec2"

    @reads("ec2:DescribeAvailabilityZones")
    def availability_zones(self) -> tuple[str, ...]:
        """The names of this region's zones, sorted, as Fn::GetAZs gives them."""
        zones = self.call("DescribeAvailabilityZones").get("AvailabilityZones", ())
        return tuple(
            sorted(
                zone["ZoneName"]
                for zone in zones
                if zone.get("ZoneType", "availability-zone") == "availability-zone"
            )
        )

    @reads("ec2:DescribeRegions")
    def regions(self) -> tuple[str, ...]:
        """The regions that this account has enabled."""
        return tuple(
            sorted(region["RegionName"] for region in self.call("DescribeRegions").get("Regions", ()))
        )

    @reads("ec2:GetEbsEncryptionByDefault")
    def ebs_encryption_by_default(self) -> bool:
        """Whether new EBS volumes of this region are encrypted without asking."""
        return bool(self.call("GetEbsEncryptionByDefault")["EbsEncryptionByDefault"])

    @reads("ec2:GetSnapshotBlockPublicAccessState")
    def snapshot_block_public_access(self) -> str:
        """block-all-sharing, block-new-sharing or unblocked."""
        return str(self.call("GetSnapshotBlockPublicAccessState")["State"])


class Kms(Gateway):
    SERVICE = "kms"
    PREFIX = "kms"

    @reads("kms:ListAliases")
    def aliases(self) -> dict[str, str]:
        """Alias name to key id, for all aliases that have a key."""
        rows = self.items(
            "ListAliases",
            "Aliases",
            token="NextMarker",
            token_in="Marker",
            Limit=100,
        )
        return {row["AliasName"]: row["TargetKeyId"] for row in rows if row.get("TargetKeyId")}


class Iam(Gateway):
    SERVICE = "iam"
    PREFIX = "iam"

    @reads("iam:GetAccountSummary")
    def account_summary(self) -> dict[str, int]:
        """IAM's counters, such as AccountMFAEnabled and AccountAccessKeysPresent."""
        return dict(self.call("GetAccountSummary")["SummaryMap"])

    @reads("iam:GetAccountPasswordPolicy")
    def password_policy(self) -> Answer | None:
        """The password policy; ``None`` when the account has none."""
        try:
            policy: Answer = self.call("GetAccountPasswordPolicy")["PasswordPolicy"]
        except GoneError:
            return None
        return policy

    @reads("iam:GenerateCredentialReport", "iam:GetCredentialReport")
    def credential_report(self) -> bytes | None:
        """The credential report as CSV; ``None`` while AWS is still writing it."""
        if self.call("GenerateCredentialReport").get("State") != "COMPLETE":
            return None
        return bytes(self.call("GetCredentialReport")["Content"])

    @reads("iam:ListRoles")
    def roles(self) -> Iterator[Answer]:
        """Every role: name, ARN and RoleId (the AROA id that policies show for deleted roles)."""
        return self.items("ListRoles", "Roles", token="Marker", MaxItems=1000)

    @reads("iam:GetRolePolicy")
    def role_policy(self, role: str, policy: str) -> Any:
        """The document of a role's inline policy."""
        return self.call("GetRolePolicy", RoleName=role, PolicyName=policy)["PolicyDocument"]

    @reads("iam:GetUserPolicy")
    def user_policy(self, user: str, policy: str) -> Any:
        """The document of a user's inline policy."""
        return self.call("GetUserPolicy", UserName=user, PolicyName=policy)["PolicyDocument"]

    @reads("iam:GetGroupPolicy")
    def group_policy(self, group: str, policy: str) -> Any:
        """The document of a group's inline policy."""
        return self.call("GetGroupPolicy", GroupName=group, PolicyName=policy)["PolicyDocument"]

    @reads("iam:SimulatePrincipalPolicy")
    def simulate(self, principal_arn: str, actions: tuple[str, ...]) -> dict[str, str]:
        """AWS's verdict for each action: allowed, explicitDeny or implicitDeny."""
        rows = self.items(
            "SimulatePrincipalPolicy",
            "EvaluationResults",
            token="Marker",
            PolicySourceArn=principal_arn,
            ActionNames=list(actions),
            MaxItems=1000,
        )
        return {row["EvalActionName"]: row["EvalDecision"] for row in rows}


class Sqs(Gateway):
    SERVICE = "sqs"
    PREFIX = "sqs"

    @reads("sqs:GetQueueAttributes")
    def policy(self, queue_url: str) -> str | None:
        """A queue's policy as JSON text; ``None`` when it has none."""
        answer = self.call("GetQueueAttributes", QueueUrl=queue_url, AttributeNames=["Policy"])
        text = (answer.get("Attributes") or {}).get("Policy")
        return str(text) if text else None


class Sns(Gateway):
    SERVICE = "sns"
    PREFIX = "sns"

    @reads("sns:GetTopicAttributes")
    def policy(self, topic_arn: str) -> str | None:
        """A topic's policy as JSON text; SNS gives every topic one."""
        text = self.call("GetTopicAttributes", TopicArn=topic_arn)["Attributes"].get("Policy")
        return str(text) if text else None


class S3(Gateway):
    SERVICE = "s3"
    PREFIX = "s3"

    @reads("s3:ListBucket")
    def objects(self, bucket: str, prefix: str = "") -> Iterator[Answer]:
        """Keys, sizes and times of the objects below a prefix."""
        return self.items(
            "ListObjectsV2",
            "Contents",
            token="NextContinuationToken",
            token_in="ContinuationToken",
            Bucket=bucket,
            Prefix=prefix,
        )

    @reads("s3:GetObject")
    def read(self, bucket: str, key: str) -> Any:
        """An object as a binary stream; the caller closes it."""
        return self.call("GetObject", Bucket=bucket, Key=key)["Body"]


class S3Control(Gateway):
    SERVICE = "s3control"
    PREFIX = "s3"

    @reads("s3:GetAccountPublicAccessBlock")
    def public_access_block(self) -> Answer | None:
        """The account-wide public access block; ``None`` when there is none."""
        try:
            answer = self.call("GetPublicAccessBlock", AccountId=self.account)
        except GoneError:
            return None
        found: Answer = answer["PublicAccessBlockConfiguration"]
        return found
