"""The facts of an account about backups, secrets, keys, instances, networks, images and stacks.

The form of each is in ``driftguard/rules/data/account_facts.yaml``; all functions raise `AwsError`.
"""

from __future__ import annotations

import json
import re
from datetime import datetime

from driftguard.aws import Place
from driftguard.aws.compute import Ec2Facts, Ecr, Emr
from driftguard.aws.governance import ManagedNodes
from driftguard.aws.safekeeping import (
    Backup,
    Certificates,
    DocumentDb,
    Keys,
    Neptune,
    Rds,
    Secrets,
    Throughput,
)
from driftguard.live.account_facts import plain_value, shown
from driftguard.model import Json

_STOPPED_AT = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) GMT\)")


# -- backups, snapshots, secrets, keys -----------------------------------------------------------------


def public_database_snapshots(place: Place) -> Json:
    rds = place.gateway(Rds)
    one = [
        str(row["DBSnapshotArn"])
        for row in rds.snapshots()
        if rds.public_snapshot(row["DBSnapshotIdentifier"])
    ]
    return one + [
        str(row["DBClusterSnapshotArn"])
        for row in rds.cluster_snapshots()
        if rds.public_cluster_snapshot(row["DBClusterSnapshotIdentifier"])
    ]


def unencrypted_database_snapshots(place: Place) -> Json:
    rds = place.gateway(Rds)
    one = [str(row["DBSnapshotArn"]) for row in rds.snapshots() if not row.get("Encrypted")]
    return one + [
        str(row["DBClusterSnapshotArn"]) for row in rds.cluster_snapshots() if not row.get("StorageEncrypted")
    ]


def cluster_snapshots(gateway: Neptune | DocumentDb) -> Json:
    return [
        {
            "Arn": str(row["DBClusterSnapshotArn"]),
            "StorageEncrypted": bool(row.get("StorageEncrypted")),
            "Public": gateway.public_cluster_snapshot(row["DBClusterSnapshotIdentifier"]),
        }
        for row in gateway.cluster_snapshots()
    ]


def protected_resources(place: Place) -> Json:
    rows = place.gateway(Backup).protected()
    return [shown(row, "ResourceArn", "ResourceType", "LastBackupTime") for row in rows]


def air_gapped_backups(place: Place) -> Json:
    backup = place.gateway(Backup)
    last: dict[str, datetime] = {}
    for vault in backup.vaults("LOGICALLY_AIR_GAPPED_BACKUP_VAULT"):
        for point in backup.recovery_points(vault["BackupVaultName"]):
            arn, made = str(point.get("ResourceArn", "")), point["CreationDate"]
            last[arn] = max(last.get(arn, made), made)
    return [{"ResourceArn": arn, "LastBackupTime": plain_value(made)} for arn, made in sorted(last.items())]


def recovery_points(place: Place) -> Json:
    backup = place.gateway(Backup)
    return [_vault(backup, str(vault["BackupVaultName"])) for vault in backup.vaults()]


def _vault(backup: Backup, name: str) -> Json:
    count = unencrypted = 0
    shortest: float | None = None
    for point in backup.recovery_points(name):
        count += 1
        unencrypted += not point.get("IsEncrypted")
        ends = (point.get("CalculatedLifecycle") or {}).get("DeleteAt")
        if ends is not None:
            days = round((ends - point["CreationDate"]).total_seconds() / 86400, 3)
            shortest = days if shortest is None else min(shortest, days)
    return {
        "BackupVaultName": name,
        "Count": count,
        "Unencrypted": unencrypted,
        "ShortestRetentionDays": shortest,
    }


def restore_tests(place: Place) -> Json:
    last: dict[str, dict[str, Json]] = {}
    for job in place.gateway(Backup).restores():
        if job.get("CompletionDate") is None:
            continue
        row = shown(job, "ResourceType", "Status", "ValidationStatus", "CompletionDate")
        known = last.get(str(job.get("ResourceType")))
        if known is None or str(known["CompletionDate"]) < str(row["CompletionDate"]):
            last[str(job.get("ResourceType"))] = row
    return [last[name] for name in sorted(last)]


def secrets(place: Place) -> Json:
    return [
        {
            "RotationEnabled": bool(row.get("RotationEnabled")),
            **shown(row, "ARN", "LastRotatedDate", "LastAccessedDate", "NextRotationDate", "CreatedDate"),
        }
        for row in place.gateway(Secrets).secrets()
    ]


def certificates(place: Place) -> Json:
    rows = place.gateway(Certificates).certificates()
    return [shown(row, "CertificateArn", "Status", "NotAfter", "RenewalEligibility") for row in rows]


def keys_pending_deletion(place: Place) -> Json:
    keys = place.gateway(Keys)
    states = (keys.describe(one["KeyId"]) for one in keys.listed())
    return [
        str(one["Arn"])
        for one in states
        if one.get("KeyState") == "PendingDeletion" and one.get("KeyManager") == "CUSTOMER"
    ]


def dynamodb_limits(place: Place) -> Json:
    kinds = [f"{scope}Max{what}CapacityUnits" for scope in ("Account", "Table") for what in ("Read", "Write")]
    return shown(place.gateway(Throughput).limits(), *kinds)


# -- instances, networks, images -----------------------------------------------------------------------


def public_snapshots(place: Place) -> Json:
    return [str(row["SnapshotId"]) for row in place.gateway(Ec2Facts).public_snapshots()]


def public_images(place: Place) -> Json:
    return [str(row["ImageId"]) for row in place.gateway(Ec2Facts).public_images()]


def public_documents(place: Place) -> Json:
    nodes = place.gateway(ManagedNodes)
    return [str(row["Name"]) for row in nodes.own_documents() if nodes.public_document(row["Name"])]


def managed_instances(place: Place) -> Json:
    rows = place.gateway(ManagedNodes).nodes()
    return [shown(row, "InstanceId", "PingStatus", "PlatformType") for row in rows]


def managed_compliance(place: Place) -> Json:
    rows = place.gateway(ManagedNodes).compliance()
    return [shown(row, "ResourceId", "ComplianceType", "Status") for row in rows]


def stopped_instances(place: Place) -> Json:
    return [
        {"InstanceId": row["InstanceId"], "StoppedAt": _stopped_at(str(row.get("StateTransitionReason", "")))}
        for row in place.gateway(Ec2Facts).stopped_instances()
    ]


def _stopped_at(reason: str) -> str | None:
    """The moment in "User initiated (2026-11-01 10:00:00 GMT)"."""
    found = _STOPPED_AT.search(reason)
    return None if found is None else found[1].replace(" ", "T") + "Z"


def instance_images(place: Place) -> Json:
    names = ("ImageId", "OwnerId", "ImageOwnerAlias", "CreationDate", "DeprecationTime", "ImageAllowed")
    return [
        {**shown(row, "InstanceId"), **shown(row.get("ImageMetadata") or {}, *names)}
        for row in place.gateway(Ec2Facts).instance_images()
    ]


def internet_gateway_attachments(place: Place) -> Json:
    return [
        {"InternetGatewayId": row["InternetGatewayId"], "VpcId": one["VpcId"]}
        for row in place.gateway(Ec2Facts).internet_gateways()
        for one in row.get("Attachments", ())
        if one.get("VpcId")
    ]


def vpn_tunnels(place: Place) -> Json:
    return [
        {
            "VpnConnectionId": row["VpnConnectionId"],
            "TunnelsUp": sum(one.get("Status") == "UP" for one in row.get("VgwTelemetry", ())),
        }
        for row in place.gateway(Ec2Facts).vpn_connections()
    ]


def network_acls_in_use(place: Place) -> Json:
    rows = place.gateway(Ec2Facts).network_acls()
    return sorted(str(row["NetworkAclId"]) for row in rows if row.get("Associations"))


def security_groups_in_use(place: Place) -> Json:
    rows = place.gateway(Ec2Facts).network_interfaces()
    return sorted({str(group["GroupId"]) for row in rows for group in row.get("Groups", ())})


def emr_primary_nodes(place: Place) -> Json:
    emr = place.gateway(Emr)
    return [
        {"ClusterId": cluster["Id"], "InstanceId": node["Ec2InstanceId"], **shown(node, "PublicIpAddress")}
        for cluster in emr.clusters()
        for node in emr.primary_nodes(cluster["Id"])
    ]


def emr_public_access_block(place: Place) -> Json:
    names = ("BlockPublicSecurityGroupRules", "PermittedPublicSecurityGroupRuleRanges")
    return shown(place.gateway(Emr).public_access_block(), *names)


def registry_scanning(place: Place) -> Json:
    return shown(place.gateway(Ecr).scanning(), "scanType", "rules")


def image_findings(place: Place) -> Json:
    ecr = place.gateway(Ecr)
    out: list[Json] = []
    for repository in ecr.repositories():
        images = [one for one in ecr.images(repository["repositoryName"]) if one.get("imagePushedAt")]
        if not images:
            continue
        newest = max(images, key=lambda one: one["imagePushedAt"])
        counts = (newest.get("imageScanFindingsSummary") or {}).get("findingSeverityCounts") or {}
        status = (newest.get("imageScanStatus") or {}).get("status")
        out.append(
            {
                "RepositoryName": repository["repositoryName"],
                "ImageDigest": newest["imageDigest"],
                "ImagePushedAt": plain_value(newest["imagePushedAt"]),
                "ScanStatus": status,
                "Critical": counts.get("CRITICAL", 0),
                "High": counts.get("HIGH", 0),
            }
        )
    return out


def stacks(place: Place) -> Json:
    out: list[Json] = []
    for stack in place.cloudformation.stacks():
        drift = stack.get("DriftInformation") or {}
        row = shown(
            stack, "StackId", "StackName", "StackStatus", "ParentId", "RoleARN", "EnableTerminationProtection"
        )
        policy = place.cloudformation.stack_policy(str(stack["StackId"]))
        row["StackPolicy"] = json.loads(policy) if policy else None
        row["DriftStatus"] = drift.get("StackDriftStatus", "NOT_CHECKED")
        row["LastDriftCheck"] = plain_value(drift.get("LastCheckTimestamp"))
        out.append(row)
    return out
