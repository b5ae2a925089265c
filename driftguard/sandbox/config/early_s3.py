"""The configuration item of an S3 bucket: a bare configuration, everything else supplementary.

Parts and keys after recorded items and awslabs/aws-config-resource-schema; the words of the AWS SDK for Java are
kept where they differ from the API (`isMfaDeleteEnabled`, `expirationInDays`, a filter's `predicate`, a
notification's `configurations` map).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from driftguard.sandbox.config.dialect import iso, lowered
from driftguard.sandbox.config.early import Reading, reader, text
from driftguard.sandbox.core import Context
from driftguard.sandbox.types.base import unless

_PERMISSIONS = {"FULL_CONTROL": "FullControl", "READ": "Read", "WRITE": "Write", "READ_ACP": "ReadAcp"}
_GROUPS = {
    "http://acs.amazonaws.com/groups/global/AllUsers": "AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": "AuthenticatedUsers",
    "http://acs.amazonaws.com/groups/s3/LogDelivery": "LogDelivery",
}


@reader("AWS::S3::Bucket")
def read_bucket(context: Context, name: str) -> Reading:
    """The reading of a bucket; a bucket of another region is a LookupError."""
    client = context.client("s3")
    region = client.get_bucket_location(Bucket=name).get("LocationConstraint") or "us-east-1"
    if region != context.region:
        raise LookupError(f"Bucket {name} is in {region}")
    listed = client.list_buckets()
    created = next(bucket["CreationDate"] for bucket in listed["Buckets"] if bucket["Name"] == name)
    owner = {"displayName": None, "id": listed["Owner"]["ID"]}
    parts = {part: _read(client, name) for part, _read in PARTS.items()}
    return Reading(
        configuration={"name": name, "owner": owner, "creationDate": iso(created)},
        supplementary={part: text(value) for part, value in parts.items() if value is not None},
        resource_id=name,
        resource_name=name,
        arn=f"arn:{context.partition}:s3:::{name}",
        zone="Regional",
    )


def _low(value: Any) -> Any:
    return lowered(value, None, "first")


def _acl(client: Any, name: str) -> Any:
    acl = client.get_bucket_acl(Bucket=name)
    grants = []
    for grant in acl["Grants"]:
        who = grant["Grantee"]
        grantee: Any = {"id": who.get("ID"), "displayName": None}
        if who["Type"] == "Group":
            grantee = _GROUPS.get(who["URI"], who["URI"])
        permission = _PERMISSIONS.get(grant["Permission"], grant["Permission"])
        grants.append({"grantee": grantee, "permission": permission})
    # AWS encodes this part twice; recorded items show it so.
    return json.dumps(
        {
            "grantSet": None,
            "grantList": grants,
            "owner": {"displayName": None, "id": acl["Owner"]["ID"]},
            "isRequesterCharged": False,
        }
    )


def _versioning(client: Any, name: str) -> Any:
    found = client.get_bucket_versioning(Bucket=name)
    deleting = found.get("MFADelete")
    return {
        "status": found.get("Status", "Off"),
        "isMfaDeleteEnabled": None if deleting is None else deleting == "Enabled",
    }


def _public_access(client: Any, name: str) -> Any:
    found = unless(
        lambda: client.get_public_access_block(Bucket=name), "NoSuchPublicAccessBlockConfiguration"
    )
    return _low(found["PublicAccessBlockConfiguration"]) if found else None


def _encryption(client: Any, name: str) -> Any:
    found = unless(
        lambda: client.get_bucket_encryption(Bucket=name), "ServerSideEncryptionConfigurationNotFoundError"
    )
    if not found:
        return None
    rules = []
    for rule in found["ServerSideEncryptionConfiguration"]["Rules"]:
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        rules.append(
            {
                "applyServerSideEncryptionByDefault": {
                    "sseAlgorithm": default.get("SSEAlgorithm"),
                    "kmsMasterKeyID": default.get("KMSMasterKeyID"),
                },
                "bucketKeyEnabled": rule.get("BucketKeyEnabled", False),
            }
        )
    return {"rules": rules}


def _policy(client: Any, name: str) -> Any:
    found = unless(lambda: client.get_bucket_policy(Bucket=name), "NoSuchBucketPolicy")
    return {"policyText": found["Policy"] if found else None}


def _logging(client: Any, name: str) -> Any:
    found = client.get_bucket_logging(Bucket=name).get("LoggingEnabled", {})
    return {
        "destinationBucketName": found.get("TargetBucket"),
        "logFilePrefix": found.get("TargetPrefix"),
    }


def _lifecycle(client: Any, name: str) -> Any:
    found = unless(
        lambda: client.get_bucket_lifecycle_configuration(Bucket=name), "NoSuchLifecycleConfiguration"
    )
    return {"rules": [_rule(rule) for rule in found["Rules"]]} if found else None


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {"id": rule.get("ID"), "status": rule["Status"], "prefix": rule.get("Prefix")}
    expiration = rule.get("Expiration", {})
    out["expirationInDays"] = expiration.get("Days", -1)
    out["expiredObjectDeleteMarker"] = expiration.get("ExpiredObjectDeleteMarker", False)
    if "Date" in expiration:
        out["expirationDate"] = iso(expiration["Date"])
    noncurrent = rule.get("NoncurrentVersionExpiration", {})
    out["noncurrentVersionExpirationInDays"] = noncurrent.get("NoncurrentDays", -1)
    if "Transitions" in rule:
        out["transitions"] = _low(rule["Transitions"])
    if "NoncurrentVersionTransitions" in rule:
        out["noncurrentVersionTransitions"] = [
            {"days": step["NoncurrentDays"], "storageClass": step["StorageClass"]}
            for step in rule["NoncurrentVersionTransitions"]
        ]
    if "AbortIncompleteMultipartUpload" in rule:
        out["abortIncompleteMultipartUpload"] = _low(rule["AbortIncompleteMultipartUpload"])
    if "Filter" in rule:
        out["filter"] = {"predicate": _predicate(rule["Filter"])}
    return out


def _predicate(chosen: Mapping[str, Any]) -> Any:
    if "And" in chosen:
        both = chosen["And"]
        operands: list[Any] = []
        if both.get("Prefix"):
            operands.append({"type": "LifecyclePrefixPredicate", "prefix": both["Prefix"]})
        operands += [{"type": "LifecycleTagPredicate", "tag": _low(tag)} for tag in both.get("Tags", [])]
        return {"type": "LifecycleAndOperator", "operands": operands}
    if "Tag" in chosen:
        return {"type": "LifecycleTagPredicate", "tag": _low(chosen["Tag"])}
    if chosen.get("Prefix"):
        return {"type": "LifecyclePrefixPredicate", "prefix": chosen["Prefix"]}
    return None


def _notification(client: Any, name: str) -> Any:
    found = client.get_bucket_notification_configuration(Bucket=name)
    kinds = (
        ("TopicConfigurations", "TopicArn", "topicARN", "TopicConfiguration"),
        ("QueueConfigurations", "QueueArn", "queueARN", "QueueConfiguration"),
        ("LambdaFunctionConfigurations", "LambdaFunctionArn", "functionARN", "LambdaConfiguration"),
    )
    out = {}
    for member, target, key, kind in kinds:
        for entry in found.get(member, []):
            rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])
            out[entry.get("Id", entry[target])] = {
                key: entry[target],
                "events": entry["Events"],
                "filter": {"s3KeyFilter": {"filterRules": _low(rules)}} if rules else None,
                "objectPrefixes": [],
                "type": kind,
            }
    return {"configurations": out}


def _cors(client: Any, name: str) -> Any:
    found = unless(lambda: client.get_bucket_cors(Bucket=name), "NoSuchCORSConfiguration")
    if not found:
        return None
    return {
        "rules": [
            {
                "id": rule.get("ID"),
                "allowedMethods": rule["AllowedMethods"],
                "allowedOrigins": rule["AllowedOrigins"],
                "allowedHeaders": rule.get("AllowedHeaders"),
                "exposedHeaders": rule.get("ExposeHeaders"),
                "maxAgeSeconds": rule.get("MaxAgeSeconds", 0),
            }
            for rule in found["CORSRules"]
        ]
    }


def _website(client: Any, name: str) -> Any:
    found = unless(lambda: client.get_bucket_website(Bucket=name), "NoSuchWebsiteConfiguration")
    if not found:
        return None
    redirect = found.get("RedirectAllRequestsTo")
    return {
        "indexDocumentSuffix": found.get("IndexDocument", {}).get("Suffix"),
        "errorDocument": found.get("ErrorDocument", {}).get("Key"),
        "redirectAllRequestsTo": _low(redirect) if redirect else None,
        "routingRules": _low(found.get("RoutingRules", [])),
    }


def _tagging(client: Any, name: str) -> Any:
    found = unless(lambda: client.get_bucket_tagging(Bucket=name), "NoSuchTagSet")
    if not found:
        return None
    return {"tagSets": [{"tags": {tag["Key"]: tag["Value"] for tag in found["TagSet"]}}]}


def _acceleration(client: Any, name: str) -> Any:
    return {"status": client.get_bucket_accelerate_configuration(Bucket=name).get("Status")}


def _lock(client: Any, name: str) -> Any:
    found = unless(
        lambda: client.get_object_lock_configuration(Bucket=name), "ObjectLockConfigurationNotFoundError"
    )
    return _low(found["ObjectLockConfiguration"]) if found else None


def _requester_pays(client: Any, name: str) -> Any:
    return client.get_bucket_request_payment(Bucket=name).get("Payer") == "Requester"


PARTS: Mapping[str, Callable[[Any, str], Any]] = {
    "AccessControlList": _acl,
    "BucketAccelerateConfiguration": _acceleration,
    "BucketLoggingConfiguration": _logging,
    "BucketNotificationConfiguration": _notification,
    "BucketPolicy": _policy,
    "BucketVersioningConfiguration": _versioning,
    "IsRequesterPaysEnabled": _requester_pays,
    "BucketLifecycleConfiguration": _lifecycle,
    "BucketCrossOriginConfiguration": _cors,
    "BucketWebsiteConfiguration": _website,
    "BucketTaggingConfiguration": _tagging,
    "ObjectLockConfiguration": _lock,
    "PublicAccessBlockConfiguration": _public_access,
    "ServerSideEncryptionConfiguration": _encryption,
}
