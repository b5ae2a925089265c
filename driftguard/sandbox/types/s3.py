"""Amazon S3: buckets and bucket policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from driftguard.sandbox.types.base import Adapter, Properties, as_text, document, pick, tag_list, unless


class Bucket(Adapter):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html"""

    type_name = "AWS::S3::Bucket"
    service = "s3"
    name_property = "BucketName"
    name_limit = 63
    lower_case_name = True
    unordered = ("Tags",)

    def create(self, name: str, properties: Properties) -> str:
        region = self.context.region
        settings: dict[str, Any] = {}
        if region != "us-east-1":
            settings["CreateBucketConfiguration"] = {"LocationConstraint": region}
        if properties.get("ObjectLockEnabled"):
            settings["ObjectLockEnabledForBucket"] = True
        self.client.create_bucket(Bucket=name, **settings)
        self._configure(name, {}, {**_DEFAULTS, **properties})
        return name

    def read(self, id: str) -> Properties | None:
        location = self.client.get_bucket_location(Bucket=id).get("LocationConstraint") or "us-east-1"
        if location != self.context.region:
            return None
        found: Properties = {"BucketName": id}
        for name, part in _PARTS.items():
            value = part.read(self.client, id)
            if value:
                found[name] = value
        return {**found, **self._read_only(id)}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        # What is taken away is taken away, also where a new bucket would have it; only encryption, which no
        # bucket is without, falls back: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketEncryption.html
        fallback = {name: _DEFAULTS[name] for name in _ALWAYS if name in old and name not in new}
        self._configure(id, old, {**fallback, **new})

    def delete(self, id: str) -> None:
        self.client.delete_bucket(Bucket=id)

    def list_ids(self) -> list[str]:
        names = [bucket["Name"] for bucket in self.client.list_buckets()["Buckets"]]
        return [name for name in names if self.read_or_none(name) is not None]

    def arn(self, id: str) -> str:
        return f"arn:{self.context.partition}:s3:::{id}"

    def _configure(self, bucket: str, old: Properties, new: Properties) -> None:
        for name, part in _PARTS.items():
            if old.get(name) == new.get(name):
                continue
            if name in new:
                getattr(self.client, part.put)(Bucket=bucket, **{part.argument: part.to_api(new[name])})
            elif part.delete:
                getattr(self.client, part.delete)(Bucket=bucket)
            else:
                getattr(self.client, part.put)(Bucket=bucket, **{part.argument: part.empty})

    def _read_only(self, bucket: str) -> Properties:
        region = self.context.region
        return {
            "Arn": self.arn(bucket),
            "DomainName": f"{bucket}.s3.amazonaws.com",
            "DualStackDomainName": f"{bucket}.s3.dualstack.{region}.amazonaws.com",
            "RegionalDomainName": f"{bucket}.s3.{region}.amazonaws.com",
            "WebsiteURL": f"http://{bucket}.s3-website-{region}.amazonaws.com",
        }


# Every new bucket has these since 2023, declared or not:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
_DEFAULTS: Properties = {
    "PublicAccessBlockConfiguration": {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    },
    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    "BucketEncryption": {
        "ServerSideEncryptionConfiguration": [
            {"BucketKeyEnabled": False, "ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        ]
    },
}


_ALWAYS = ("BucketEncryption",)


class _Part:
    """One property of a bucket: the calls that get, put and delete it, and both shapes."""

    def __init__(
        self,
        get: str,
        put: str,
        argument: str,
        *,
        delete: str | None = None,
        empty: Any = None,
        to_api: Callable[[Any], Any] = lambda value: value,
        to_cfn: Callable[[Mapping[str, Any]], Any],
        absent: str = "-",
    ) -> None:
        self.get, self.put, self.argument, self.delete = get, put, argument, delete
        self.empty, self.to_api, self.to_cfn, self.absent = empty, to_api, to_cfn, absent

    def read(self, client: Any, bucket: str) -> Any:
        answer = unless(lambda: getattr(client, self.get)(Bucket=bucket), self.absent)
        return self.to_cfn(answer) if answer is not None else None


def _encryption_to_api(value: Any) -> Any:
    return {
        "Rules": [
            {
                "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
                **({"BucketKeyEnabled": rule["BucketKeyEnabled"]} if "BucketKeyEnabled" in rule else {}),
            }
            for rule in value["ServerSideEncryptionConfiguration"]
        ]
    }


def _encryption_to_cfn(answer: Mapping[str, Any]) -> Any:
    return {
        "ServerSideEncryptionConfiguration": [
            {
                "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
                "ServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"],
            }
            for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]
        ]
    }


def _rule_to_api(rule: Mapping[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Any] = {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "Id" in rule:
        wanted["ID"] = rule["Id"]
    if "ExpirationInDays" in rule:
        wanted["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    if "NoncurrentVersionExpirationInDays" in rule:
        days = int(rule["NoncurrentVersionExpirationInDays"])
        wanted["NoncurrentVersionExpiration"] = {"NoncurrentDays": days}
    if "NoncurrentVersionExpiration" in rule:
        wanted["NoncurrentVersionExpiration"] = rule["NoncurrentVersionExpiration"]
    if "AbortIncompleteMultipartUpload" in rule:
        wanted["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    if "Transitions" in rule:
        wanted["Transitions"] = [
            {"StorageClass": t["StorageClass"], "Days": int(t["TransitionInDays"])}
            for t in rule["Transitions"]
        ]
    return wanted


def _rule_to_cfn(rule: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"Id": rule["ID"], "Status": rule["Status"]}
    if prefix := rule.get("Prefix") or rule.get("Filter", {}).get("Prefix"):
        found["Prefix"] = prefix
    if days := rule.get("Expiration", {}).get("Days"):
        found["ExpirationInDays"] = days
    found |= pick(rule, "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload")
    if rule.get("Transitions"):
        found["Transitions"] = [
            {"StorageClass": t["StorageClass"], "TransitionInDays": t["Days"]} for t in rule["Transitions"]
        ]
    return found


def _logging_to_api(value: Mapping[str, Any]) -> Any:
    target = {
        "TargetBucket": value.get("DestinationBucketName"),
        "TargetPrefix": value.get("LogFilePrefix", ""),
    }
    return {"LoggingEnabled": target}


def _logging_to_cfn(answer: Mapping[str, Any]) -> Any:
    enabled = answer.get("LoggingEnabled")
    if not enabled:
        return None
    prefix = {"LogFilePrefix": enabled["TargetPrefix"]} if enabled.get("TargetPrefix") else {}
    return {"DestinationBucketName": enabled["TargetBucket"], **prefix}


_CORS = {"Id": "ID", "MaxAge": "MaxAgeSeconds", "ExposedHeaders": "ExposeHeaders"}
_CORS_BACK = {there: here for here, there in _CORS.items()}


def _renamed(value: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): content for name, content in value.items()}


_PARTS: dict[str, _Part] = {
    "VersioningConfiguration": _Part(
        "get_bucket_versioning",
        "put_bucket_versioning",
        "VersioningConfiguration",
        empty={"Status": "Suspended"},
        to_cfn=lambda a: pick(a, "Status"),
    ),
    "BucketEncryption": _Part(
        "get_bucket_encryption",
        "put_bucket_encryption",
        "ServerSideEncryptionConfiguration",
        delete="delete_bucket_encryption",
        to_api=_encryption_to_api,
        to_cfn=_encryption_to_cfn,
        absent="ServerSideEncryptionConfigurationNotFoundError",
    ),
    "PublicAccessBlockConfiguration": _Part(
        "get_public_access_block",
        "put_public_access_block",
        "PublicAccessBlockConfiguration",
        delete="delete_public_access_block",
        to_cfn=lambda a: a["PublicAccessBlockConfiguration"],
        absent="NoSuchPublicAccessBlockConfiguration",
    ),
    "OwnershipControls": _Part(
        "get_bucket_ownership_controls",
        "put_bucket_ownership_controls",
        "OwnershipControls",
        delete="delete_bucket_ownership_controls",
        to_cfn=lambda a: a["OwnershipControls"],
        absent="OwnershipControlsNotFoundError",
    ),
    "LifecycleConfiguration": _Part(
        "get_bucket_lifecycle_configuration",
        "put_bucket_lifecycle_configuration",
        "LifecycleConfiguration",
        delete="delete_bucket_lifecycle",
        to_api=lambda value: {"Rules": [_rule_to_api(rule) for rule in value["Rules"]]},
        to_cfn=lambda a: {"Rules": [_rule_to_cfn(rule) for rule in a["Rules"]]},
        absent="NoSuchLifecycleConfiguration",
    ),
    "CorsConfiguration": _Part(
        "get_bucket_cors",
        "put_bucket_cors",
        "CORSConfiguration",
        delete="delete_bucket_cors",
        to_api=lambda value: {"CORSRules": [_renamed(rule, _CORS) for rule in value["CorsRules"]]},
        to_cfn=lambda a: {"CorsRules": [_renamed(rule, _CORS_BACK) for rule in a["CORSRules"]]},
        absent="NoSuchCORSConfiguration",
    ),
    "LoggingConfiguration": _Part(
        "get_bucket_logging",
        "put_bucket_logging",
        "BucketLoggingStatus",
        empty={},
        to_api=_logging_to_api,
        to_cfn=_logging_to_cfn,
    ),
    "AccelerateConfiguration": _Part(
        "get_bucket_accelerate_configuration",
        "put_bucket_accelerate_configuration",
        "AccelerateConfiguration",
        empty={"Status": "Suspended"},
        to_api=lambda value: {"Status": value["AccelerationStatus"]},
        to_cfn=lambda a: {"AccelerationStatus": a["Status"]} if a.get("Status") else None,
    ),
    "Tags": _Part(
        "get_bucket_tagging",
        "put_bucket_tagging",
        "Tagging",
        delete="delete_bucket_tagging",
        to_api=lambda value: {"TagSet": value},
        to_cfn=lambda a: tag_list(a["TagSet"]),
        absent="NoSuchTagSet",
    ),
}


class BucketPolicy(Adapter):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucketpolicy.html"""

    type_name = "AWS::S3::BucketPolicy"
    service = "s3"
    tag_property: ClassVar[str | None] = None

    def create(self, name: str, properties: Properties) -> str:
        bucket = str(properties["Bucket"])
        self.client.put_bucket_policy(Bucket=bucket, Policy=as_text(properties["PolicyDocument"]))
        return bucket

    def read(self, id: str) -> Properties:
        policy = self.client.get_bucket_policy(Bucket=id)["Policy"]
        return {"Bucket": id, "PolicyDocument": document(policy)}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.create("", new)

    def delete(self, id: str) -> None:
        self.client.delete_bucket_policy(Bucket=id)

    def list_ids(self) -> list[str]:
        def has_policy(name: str) -> bool:
            try:
                location = self.client.get_bucket_location(Bucket=name).get("LocationConstraint")
                here = (location or "us-east-1") == self.context.region
                return here and bool(self.client.get_bucket_policy(Bucket=name))
            except ClientError:
                return False

        return [b["Name"] for b in self.client.list_buckets()["Buckets"] if has_policy(b["Name"])]
