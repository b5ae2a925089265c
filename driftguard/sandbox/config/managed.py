"""Managed rules that the sandbox really evaluates, each written from its public description.

A check looks at one configuration item and answers (compliant, annotation); None is NOT_APPLICABLE. Descriptions:
AWS Config developer guide, "List of AWS Config Managed Rules". Annotations are invented.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from driftguard.sandbox.config.items import Item

Verdict = tuple[bool, str] | None
Check = Callable[[Item, Mapping[str, str]], Verdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedRule:
    """A managed rule: the types it is triggered by, its parameters' defaults, and its check."""

    types: tuple[str, ...]
    check: Check
    defaults: Mapping[str, str]
    periodic: bool = False


RULES: dict[str, ManagedRule] = {}


def rule(identifier: str, *types: str, **defaults: str) -> Callable[[Check], Check]:
    """Register the check of a managed rule."""

    def register(check: Check) -> Check:
        RULES[identifier] = ManagedRule(types=types, check=check, defaults=defaults)
        return check

    return register


def part(item: Item, name: str) -> Any:
    """A supplementary part, decoded; None where there is none."""
    text = item["supplementaryConfiguration"].get(name)
    found = json.loads(text) if text else None
    return json.loads(found) if isinstance(found, str) and found[:1] in {"{", "["} else found


@rule("S3_BUCKET_VERSIONING_ENABLED", "AWS::S3::Bucket")
def _versioning(item: Item, parameters: Mapping[str, str]) -> Verdict:
    found = part(item, "BucketVersioningConfiguration") or {}
    if found.get("status") != "Enabled":
        return False, "Versioning is not enabled."
    if parameters.get("isMfaDeleteEnabled", "false").lower() == "true" and not found.get(
        "isMfaDeleteEnabled"
    ):
        return False, "MFA delete is not enabled."
    return True, ""


@rule("S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED", "AWS::S3::Bucket")
def _encryption(item: Item, parameters: Mapping[str, str]) -> Verdict:
    return bool(
        (part(item, "ServerSideEncryptionConfiguration") or {}).get("rules")
    ), "No default encryption."


@rule("S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED", "AWS::S3::Bucket")
def _public_access(item: Item, parameters: Mapping[str, str]) -> Verdict:
    if item["resourceName"] in [
        name.strip() for name in parameters.get("excludedPublicBuckets", "").split(",")
    ]:
        return True, ""
    found = part(item, "PublicAccessBlockConfiguration") or {}
    wanted = ("blockPublicAcls", "ignorePublicAcls", "blockPublicPolicy", "restrictPublicBuckets")
    return all(found.get(key) for key in wanted), "Public access is not blocked at the level of the bucket."


@rule("S3_BUCKET_LOGGING_ENABLED", "AWS::S3::Bucket")
def _logging(item: Item, parameters: Mapping[str, str]) -> Verdict:
    return bool(
        (part(item, "BucketLoggingConfiguration") or {}).get("destinationBucketName")
    ), "No access log."


@rule("S3_BUCKET_SSL_REQUESTS_ONLY", "AWS::S3::Bucket")
def _ssl(item: Item, parameters: Mapping[str, str]) -> Verdict:
    text = (part(item, "BucketPolicy") or {}).get("policyText")
    for statement in _statements(text):
        condition = statement.get("Condition", {}).get("Bool", {})
        if statement.get("Effect") == "Deny" and str(condition.get("aws:SecureTransport")).lower() == "false":
            return True, ""
    return False, "The policy does not deny requests without TLS."


def _statements(policy: Any) -> list[dict[str, Any]]:
    if not policy:
        return []
    content = json.loads(policy if policy.lstrip().startswith("{") else unquote(policy))
    found = content.get("Statement", [])
    return found if isinstance(found, list) else [found]


def _open_to_world(permission: Mapping[str, Any]) -> bool:
    return any(block.get("cidrIp") == "0.0.0.0/0" for block in permission.get("ipv4Ranges", [])) or any(
        block.get("cidrIpv6") == "::/0" for block in permission.get("ipv6Ranges", [])
    )


def _covers(permission: Mapping[str, Any], port: int) -> bool:
    if str(permission.get("ipProtocol")) == "-1":
        return True
    low, high = permission.get("fromPort"), permission.get("toPort")
    return (
        str(permission.get("ipProtocol")) in {"tcp", "6"} and low is not None and low <= port <= (high or low)
    )


@rule("INCOMING_SSH_DISABLED", "AWS::EC2::SecurityGroup")
def _ssh(item: Item, parameters: Mapping[str, str]) -> Verdict:
    permissions = item["configuration"].get("ipPermissions", [])
    is_open = any(_open_to_world(found) and _covers(found, 22) for found in permissions)
    return not is_open, "Port 22 is open to the world."


@rule(
    "RESTRICTED_INCOMING_TRAFFIC",
    "AWS::EC2::SecurityGroup",
    blockedPort1="20",
    blockedPort2="21",
    blockedPort3="3389",
    blockedPort4="3306",
    blockedPort5="4333",
)
def _ports(item: Item, parameters: Mapping[str, str]) -> Verdict:
    ports = [int(value) for key, value in parameters.items() if key.startswith("blockedPort")]
    permissions = item["configuration"].get("ipPermissions", [])
    is_open = any(_open_to_world(found) and _covers(found, port) for found in permissions for port in ports)
    return not is_open, "A blocked port is open to the world."


@rule("VPC_DEFAULT_SECURITY_GROUP_CLOSED", "AWS::EC2::SecurityGroup")
def _default_group(item: Item, parameters: Mapping[str, str]) -> Verdict:
    found = item["configuration"]
    if found.get("groupName") != "default":
        return None
    return not found.get("ipPermissions") and not found.get("ipPermissionsEgress"), "It has rules."


@rule("CMK_BACKING_KEY_ROTATION_ENABLED", "AWS::KMS::Key")
def _rotation(item: Item, parameters: Mapping[str, str]) -> Verdict:
    found = item["configuration"]
    if found.get("keyManager") == "AWS" or found.get("keySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT":
        return None
    return bool(part(item, "KeyRotationStatus")), "Rotation is not enabled."


@rule("RDS_STORAGE_ENCRYPTED", "AWS::RDS::DBInstance")
def _rds_encrypted(item: Item, parameters: Mapping[str, str]) -> Verdict:
    return bool(item["configuration"].get("storageEncrypted")), "Storage is not encrypted."


@rule("RDS_INSTANCE_PUBLIC_ACCESS_CHECK", "AWS::RDS::DBInstance")
def _rds_public(item: Item, parameters: Mapping[str, str]) -> Verdict:
    return not item["configuration"].get("publiclyAccessible"), "The instance is publicly accessible."


@rule("RDS_MULTI_AZ_SUPPORT", "AWS::RDS::DBInstance")
def _rds_zones(item: Item, parameters: Mapping[str, str]) -> Verdict:
    return bool(item["configuration"].get("multiAZ")), "The instance is in one zone."


@rule("DB_INSTANCE_BACKUP_ENABLED", "AWS::RDS::DBInstance")
def _rds_backup(item: Item, parameters: Mapping[str, str]) -> Verdict:
    days = int(item["configuration"].get("backupRetentionPeriod") or 0)
    return days >= max(1, int(parameters.get("backupRetentionPeriod") or 1)), "Backups are off or too short."


@rule("DYNAMODB_PITR_ENABLED", "AWS::DynamoDB::Table")
def _pitr(item: Item, parameters: Mapping[str, str]) -> Verdict:
    found = part(item, "ContinuousBackupsDescription") or {}
    status = found.get("pointInTimeRecoveryDescription", {}).get("pointInTimeRecoveryStatus")
    return status == "ENABLED", "Point-in-time recovery is not enabled."


@rule("LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED", "AWS::Lambda::Function")
def _lambda_public(item: Item, parameters: Mapping[str, str]) -> Verdict:
    policy = part(item, "Policy")
    text = policy if isinstance(policy, str) else json.dumps(policy) if policy else ""
    for statement in _statements(text):
        who = statement.get("Principal")
        everyone = who == "*" or (isinstance(who, Mapping) and who.get("AWS") == "*")
        if statement.get("Effect") == "Allow" and everyone and not statement.get("Condition"):
            return False, "The policy lets everyone invoke the function."
    return True, ""


@rule("CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED", "AWS::CloudTrail::Trail")
def _validation(item: Item, parameters: Mapping[str, str]) -> Verdict:
    return bool(item["configuration"].get("logFileValidationEnabled")), "Log file validation is off."


@rule("CLOUD_TRAIL_ENCRYPTION_ENABLED", "AWS::CloudTrail::Trail")
def _trail_key(item: Item, parameters: Mapping[str, str]) -> Verdict:
    return bool(item["configuration"].get("kmsKeyId")), "The trail has no KMS key."


@rule("SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED", "AWS::EC2::Subnet")
def _subnet(item: Item, parameters: Mapping[str, str]) -> Verdict:
    return not item["configuration"].get("mapPublicIpOnLaunch"), "Public addresses are assigned."


@rule("IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS", "AWS::IAM::Policy")
def _admin(item: Item, parameters: Mapping[str, str]) -> Verdict:
    for version in item["configuration"].get("policyVersionList", []):
        if not version.get("isDefaultVersion"):
            continue
        for statement in _statements(version["document"]):
            actions, resources = (_as_list(statement.get(key)) for key in ("Action", "Resource"))
            if statement.get("Effect") == "Allow" and "*" in actions and "*" in resources:
                return False, "A statement allows everything on everything."
    return True, ""


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@rule("ELB_DELETION_PROTECTION_ENABLED", "AWS::ElasticLoadBalancingV2::LoadBalancer")
def _protection(item: Item, parameters: Mapping[str, str]) -> Verdict:
    found = part(item, "LoadBalancerAttributes") or []
    attributes = {entry["key"]: entry["value"] for entry in found}
    return attributes.get("deletion_protection.enabled") == "true", "Deletion protection is off."


@rule("IAM_ROLE_MANAGED_POLICY_CHECK", "AWS::IAM::Role")
def _role_policies(item: Item, parameters: Mapping[str, str]) -> Verdict:
    wanted = {arn.strip() for arn in parameters.get("managedPolicyArns", "").split(",") if arn.strip()}
    attached = {found["policyArn"] for found in item["configuration"].get("attachedManagedPolicies", [])}
    return wanted <= attached, "Not all of the policies are attached."


@rule("REQUIRED_TAGS", tag1Key="CostCenter")
def _tags(item: Item, parameters: Mapping[str, str]) -> Verdict:
    for number in range(1, 7):
        key = parameters.get(f"tag{number}Key")
        if not key:
            continue
        allowed = [
            value.strip() for value in parameters.get(f"tag{number}Value", "").split(",") if value.strip()
        ]
        found = item["tags"].get(key)
        if found is None or (allowed and found not in allowed):
            return False, f"The tag {key} is missing or has another value."
    return True, ""


@rule("SECRETSMANAGER_ROTATION_ENABLED_CHECK", "AWS::SecretsManager::Secret")
def _secret(item: Item, parameters: Mapping[str, str]) -> Verdict:
    return bool(item["configuration"].get("RotationEnabled")), "Rotation is not enabled."
