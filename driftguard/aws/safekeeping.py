"""Backups, snapshots, secrets, certificates and keys: their state, never what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from driftguard.aws.actions import reads
from driftguard.aws.gateway import Gateway

Answer = Mapping[str, Any]


class Backup(Gateway):
    SERVICE = "backup"
    PREFIX = "backup"

    @reads("backup:ListProtectedResources")
    def protected(self) -> Iterator[Answer]:
        """The resources that have a backup, with the time of the last."""
        return self.items("ListProtectedResources", "Results", MaxResults=1000)

    @reads("backup:ListBackupVaults")
    def vaults(self, kind: str | None = None) -> Iterator[Answer]:
        """The vaults of the region; ``kind`` is BACKUP_VAULT or LOGICALLY_AIR_GAPPED_BACKUP_VAULT."""
        return self.items("ListBackupVaults", "BackupVaultList", ByVaultType=kind, MaxResults=1000)

    @reads("backup:ListRecoveryPointsByBackupVault")
    def recovery_points(self, vault: str) -> Iterator[Answer]:
        """The recovery points of a vault."""
        return self.items(
            "ListRecoveryPointsByBackupVault", "RecoveryPoints", BackupVaultName=vault, MaxResults=1000
        )

    @reads("backup:ListRestoreJobs")
    def restores(self) -> Iterator[Answer]:
        """The restore jobs of the last weeks, newest first."""
        return self.items("ListRestoreJobs", "RestoreJobs", MaxResults=1000)


class _ClusterSnapshots(Gateway):
    """The RDS API, which Neptune and DocumentDB speak as well."""

    PREFIX = "rds"
    ENGINE: ClassVar[str | None] = None

    @reads("rds:DescribeDBClusterSnapshots")
    def cluster_snapshots(self) -> Iterator[Answer]:
        """The manual snapshots of clusters."""
        engine = [{"Name": "engine", "Values": [self.ENGINE]}] if self.ENGINE else []
        return self.items(
            "DescribeDBClusterSnapshots",
            "DBClusterSnapshots",
            token="Marker",
            SnapshotType="manual",
            Filters=engine,
            MaxRecords=100,
        )

    @reads("rds:DescribeDBClusterSnapshotAttributes")
    def public_cluster_snapshot(self, identifier: str) -> bool:
        """Whether everybody may restore the snapshot."""
        answer = self.call("DescribeDBClusterSnapshotAttributes", DBClusterSnapshotIdentifier=identifier)
        return _everybody(answer["DBClusterSnapshotAttributesResult"].get("DBClusterSnapshotAttributes", ()))


def _everybody(attributes: Iterable[Answer]) -> bool:
    return any("all" in one.get("AttributeValues", ()) for one in attributes)


class Rds(_ClusterSnapshots):
    SERVICE = "rds"

    @reads("rds:DescribeDBSnapshots")
    def snapshots(self) -> Iterator[Answer]:
        """The manual snapshots of instances."""
        return self.items(
            "DescribeDBSnapshots", "DBSnapshots", token="Marker", SnapshotType="manual", MaxRecords=100
        )

    @reads("rds:DescribeDBSnapshotAttributes")
    def public_snapshot(self, identifier: str) -> bool:
        """Whether everybody may restore the snapshot."""
        answer = self.call("DescribeDBSnapshotAttributes", DBSnapshotIdentifier=identifier)
        return _everybody(answer["DBSnapshotAttributesResult"].get("DBSnapshotAttributes", ()))


class Neptune(_ClusterSnapshots):
    SERVICE = "neptune"
    ENGINE = "neptune"


class DocumentDb(_ClusterSnapshots):
    SERVICE = "docdb"
    ENGINE = "docdb"


class Secrets(Gateway):
    SERVICE = "secretsmanager"
    PREFIX = "secretsmanager"

    @reads("secretsmanager:ListSecrets")
    def secrets(self) -> Iterator[Answer]:
        """The secrets with rotation and use; never a value."""
        return self.items("ListSecrets", "SecretList", MaxResults=100)


class Certificates(Gateway):
    SERVICE = "acm"
    PREFIX = "acm"

    @reads("acm:ListCertificates")
    def certificates(self) -> Iterator[Answer]:
        """The certificates of every key type: status, end and renewal."""
        kinds = [
            "RSA_1024",
            "RSA_2048",
            "RSA_3072",
            "RSA_4096",
            "EC_prime256v1",
            "EC_secp384r1",
            "EC_secp521r1",
        ]
        return self.items(
            "ListCertificates", "CertificateSummaryList", Includes={"keyTypes": kinds}, MaxItems=1000
        )


class Keys(Gateway):
    SERVICE = "kms"
    PREFIX = "kms"

    @reads("kms:ListKeys")
    def listed(self) -> Iterator[Answer]:
        """The keys of the region: KeyId, KeyArn."""
        return self.items("ListKeys", "Keys", token="NextMarker", token_in="Marker", Limit=1000)

    @reads("kms:DescribeKey")
    def describe(self, key: str) -> Answer:
        """State and manager of a key."""
        found: Answer = self.call("DescribeKey", KeyId=key)["KeyMetadata"]
        return found


class Buckets(Gateway):
    SERVICE = "s3"
    PREFIX = "s3"

    @reads("s3:ListAllMyBuckets")
    def names(self) -> tuple[str, ...]:
        """The buckets of the account, in every region."""
        return tuple(one["Name"] for one in self.items("ListBuckets", "Buckets", token="ContinuationToken"))

    @reads("s3:GetBucketVersioning")
    def mfa_delete(self, bucket: str) -> bool:
        """Whether versions of the bucket are deleted with MFA only."""
        return self.call("GetBucketVersioning", Bucket=bucket).get("MFADelete") == "Enabled"


class Throughput(Gateway):
    SERVICE = "dynamodb"
    PREFIX = "dynamodb"

    @reads("dynamodb:DescribeLimits")
    def limits(self) -> Answer:
        """The quotas of provisioned throughput."""
        return self.call("DescribeLimits")
