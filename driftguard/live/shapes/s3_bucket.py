"""AWS::S3::Bucket: nearly everything stands in the supplementary configuration, with markers for "not set"."""

from collections.abc import Iterator, Mapping

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names, rows
from driftguard.model import Json

# Replication is left out: the item shows only a part of a rule.
COVERAGE = names(
    """
    AccelerateConfiguration BucketEncryption BucketName CorsConfiguration LifecycleConfiguration
    LoggingConfiguration NotificationConfiguration PublicAccessBlockConfiguration
    VersioningConfiguration WebsiteConfiguration
    """
)
_TARGETS = {
    "LambdaConfiguration": ("LambdaConfigurations", "functionARN", "Function"),
    "QueueConfiguration": ("QueueConfigurations", "queueARN", "Queue"),
    "TopicConfiguration": ("TopicConfigurations", "topicARN", "Topic"),
}


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    extra = item.supplementary
    status = get(extra, "BucketVersioningConfiguration", "status")
    if status and status != "Off":
        properties["VersioningConfiguration"] = {"Status": status}
    properties["AccelerateConfiguration"] = {
        "AccelerationStatus": get(extra, "BucketAccelerateConfiguration", "status")
    }
    properties["LoggingConfiguration"] = _logging(extra.get("BucketLoggingConfiguration"))
    properties["PublicAccessBlockConfiguration"] = extra.get("PublicAccessBlockConfiguration")
    properties["BucketEncryption"] = _encryption(extra.get("ServerSideEncryptionConfiguration"))
    properties["LifecycleConfiguration"] = {
        "Rules": [_lifecycle(rule) for rule in rows(get(extra, "BucketLifecycleConfiguration", "rules"))]
    }
    properties["NotificationConfiguration"] = _notifications(extra.get("BucketNotificationConfiguration"))
    properties["WebsiteConfiguration"] = _website(extra.get("BucketWebsiteConfiguration"))
    properties["CorsConfiguration"] = {
        "CorsRules": [_cors(rule) for rule in rows(get(extra, "BucketCrossOriginConfiguration", "rules"))]
    }
    for name in ("LifecycleConfiguration", "CorsConfiguration"):
        if not next(iter(properties[name].values())):
            del properties[name]
    if not properties["AccelerateConfiguration"]["AccelerationStatus"]:
        del properties["AccelerateConfiguration"]


def _logging(found: Json) -> Json:
    if not get(found, "destinationBucketName"):
        return None
    return {
        "DestinationBucketName": found["destinationBucketName"],
        "LogFilePrefix": found.get("logFilePrefix"),
    }


def _encryption(found: Json) -> Json:
    rules = []
    for rule in rows(get(found, "rules")):
        default = rule.get("applyServerSideEncryptionByDefault")
        rules.append(
            {"ServerSideEncryptionByDefault": default, "BucketKeyEnabled": rule.get("bucketKeyEnabled")}
        )
    return {"ServerSideEncryptionConfiguration": rules} if rules else None


def _set(value: Json) -> Json:
    """The value unless it is -1, which S3's items use for "not set"."""
    return value if isinstance(value, int) and value >= 0 else None


def _lifecycle(rule: Mapping[str, Json]) -> dict[str, Json]:
    old = rule.get("noncurrentVersionExpiration") or {}
    abort = _set(get(rule, "abortIncompleteMultipartUpload", "daysAfterInitiation"))
    result: dict[str, Json] = {
        "Id": rule.get("id"),
        "Status": rule.get("status"),
        "Prefix": rule.get("prefix"),
        "ExpirationInDays": _set(rule.get("expirationInDays")),
        "ExpirationDate": rule.get("expirationDate"),
        "ExpiredObjectDeleteMarker": rule.get("expiredObjectDeleteMarker") or None,
        "NoncurrentVersionExpirationInDays": _set(rule.get("noncurrentVersionExpirationInDays")),
        "NoncurrentVersionExpiration": {
            "NoncurrentDays": _set(old.get("noncurrentDays", old.get("days"))),
            "NewerNoncurrentVersions": _set(old.get("newerNoncurrentVersions")),
        },
        "Transitions": [_transition(step) for step in rows(rule.get("transitions"))],
        "NoncurrentVersionTransitions": [
            _transition(step) for step in rows(rule.get("noncurrentVersionTransitions"))
        ],
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": abort} if abort is not None else None,
    }
    for name, value in _conditions(get(rule, "filter", "predicate")):
        if name == "TagFilters":
            result.setdefault(name, []).append(value)
        else:
            result[name] = value
    return result


def _transition(step: Mapping[str, Json]) -> dict[str, Json]:
    return {
        "TransitionInDays": _set(step.get("days")),
        "TransitionDate": step.get("date"),
        "StorageClass": step.get("storageClass"),
        "NewerNoncurrentVersions": _set(step.get("newerNoncurrentVersions")),
    }


def _conditions(predicate: Json) -> Iterator[tuple[str, Json]]:
    kind = get(predicate, "type")
    if kind == "LifecyclePrefixPredicate":
        yield "Prefix", predicate.get("prefix")
    elif kind == "LifecycleTagPredicate":
        yield "TagFilters", {"Key": get(predicate, "tag", "key"), "Value": get(predicate, "tag", "value")}
    elif kind == "LifecycleObjectSizeGreaterThanPredicate":
        yield "ObjectSizeGreaterThan", predicate.get("objectSizeGreaterThan")
    elif kind == "LifecycleObjectSizeLessThanPredicate":
        yield "ObjectSizeLessThan", predicate.get("objectSizeLessThan")
    elif kind == "LifecycleAndOperator":
        for operand in rows(predicate.get("operands")):
            yield from _conditions(operand)


def _notifications(found: Json) -> Json:
    configurations = get(found, "configurations")
    result: dict[str, list[Json]] = {}
    if isinstance(configurations, Mapping):
        for row in rows(list(configurations.values())):
            target = _TARGETS.get(str(row.get("type")))
            if target is None:
                continue
            kind, source, name = target
            filters = {"S3Key": {"Rules": get(row, "filter", "s3KeyFilter", "filterRules")}}
            # CloudFormation has one entry for each event.
            for event in row.get("events") or ():
                entry = {"Event": event, name: get(row, source)}
                if filters["S3Key"]["Rules"]:
                    entry["Filter"] = filters
                result.setdefault(kind, []).append(entry)
    return result


def _website(found: Json) -> Json:
    if not isinstance(found, Mapping):
        return None
    routing = [
        {"RoutingRuleCondition": rule.get("condition"), "RedirectRule": rule.get("redirect")}
        for rule in rows(found.get("routingRules"))
    ]
    return {
        "IndexDocument": found.get("indexDocumentSuffix"),
        "ErrorDocument": found.get("errorDocument"),
        "RedirectAllRequestsTo": found.get("redirectAllRequestsTo"),
        "RoutingRules": routing,
    }


def _cors(rule: Mapping[str, Json]) -> dict[str, Json]:
    known = {name: rule.get(name) for name in ("id", "allowedMethods", "allowedOrigins", "allowedHeaders")}
    age = rule.get("maxAgeSeconds")
    return {**known, "ExposedHeaders": rule.get("exposedHeaders"), "MaxAge": age if age and age > 0 else None}


SHAPE = Shape(
    type="AWS::S3::Bucket",
    coverage=COVERAGE,
    blind=names(
        """
        BucketEncryption/ServerSideEncryptionConfiguration/*/BlockedEncryptionTypes
        LifecycleConfiguration/TransitionDefaultMinimumObjectSize
        LoggingConfiguration/TargetObjectKeyFormat NotificationConfiguration/EventBridgeConfiguration
        """
    ),
    rename={"BucketName": "name"},
    finish=_finish,
)
