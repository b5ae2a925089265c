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
        "DestinationBucketName": get(found, "destinationBucketName"),
        "LogFilePrefix": get(found, "logFilePrefix"),
    }


def _encryption(found: Json) -> Json:
    rules = []
    for rule in rows(get(found, "rules")):
        default = get(rule, "applyServerSideEncryptionByDefault")
        rules.append(
            {"ServerSideEncryptionByDefault": default, "BucketKeyEnabled": get(rule, "bucketKeyEnabled")}
        )
    return {"ServerSideEncryptionConfiguration": rules} if rules else None


def _set(value: Json) -> Json:
    """The value unless it is -1, which S3's items use for "not set"."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _lifecycle(rule: Mapping[str, Json]) -> dict[str, Json]:
    old = get(rule, "noncurrentVersionExpiration")
    abort = _set(get(rule, "abortIncompleteMultipartUpload", "daysAfterInitiation"))
    result: dict[str, Json] = {
        "Id": get(rule, "id"),
        "Status": get(rule, "status"),
        "Prefix": get(rule, "prefix"),
        "ExpirationInDays": _set(get(rule, "expirationInDays")),
        "ExpirationDate": get(rule, "expirationDate"),
        "ExpiredObjectDeleteMarker": get(rule, "expiredObjectDeleteMarker") or None,
        "NoncurrentVersionExpirationInDays": _set(get(rule, "noncurrentVersionExpirationInDays")),
        "NoncurrentVersionExpiration": {
            "NoncurrentDays": _set(
                get(old, "days" if get(old, "noncurrentDays") is None else "noncurrentDays")
            ),
            "NewerNoncurrentVersions": _set(get(old, "newerNoncurrentVersions")),
        },
        "Transitions": [_transition(step) for step in rows(get(rule, "transitions"))],
        "NoncurrentVersionTransitions": [
            _transition(step) for step in rows(get(rule, "noncurrentVersionTransitions"))
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
        "TransitionInDays": _set(get(step, "days")),
        "TransitionDate": get(step, "date"),
        "StorageClass": get(step, "storageClass"),
        "NewerNoncurrentVersions": _set(get(step, "newerNoncurrentVersions")),
    }


def _conditions(predicate: Json) -> Iterator[tuple[str, Json]]:
    kind = get(predicate, "type")
    if kind == "LifecyclePrefixPredicate":
        yield "Prefix", get(predicate, "prefix")
    elif kind == "LifecycleTagPredicate":
        yield "TagFilters", {"Key": get(predicate, "tag", "key"), "Value": get(predicate, "tag", "value")}
    elif kind == "LifecycleObjectSizeGreaterThanPredicate":
        yield "ObjectSizeGreaterThan", get(predicate, "objectSizeGreaterThan")
    elif kind == "LifecycleObjectSizeLessThanPredicate":
        yield "ObjectSizeLessThan", get(predicate, "objectSizeLessThan")
    elif kind == "LifecycleAndOperator":
        for operand in rows(get(predicate, "operands")):
            yield from _conditions(operand)


def _notifications(found: Json) -> Json:
    configurations = get(found, "configurations")
    result: dict[str, list[Json]] = {}
    if isinstance(configurations, Mapping):
        for row in rows(list(configurations.values())):
            target = _TARGETS.get(str(get(row, "type")))
            if target is None:
                continue
            kind, source, name = target
            filters = {"S3Key": {"Rules": get(row, "filter", "s3KeyFilter", "filterRules")}}
            # CloudFormation has one entry for each event.
            for event in get(row, "events") or ():
                entry = {"Event": event, name: get(row, source)}
                if filters["S3Key"]["Rules"]:
                    entry["Filter"] = filters
                result.setdefault(kind, []).append(entry)
    return result


def _website(found: Json) -> Json:
    if not isinstance(found, Mapping):
        return None
    routing = [
        {"RoutingRuleCondition": get(rule, "condition"), "RedirectRule": get(rule, "redirect")}
        for rule in rows(get(found, "routingRules"))
    ]
    return {
        "IndexDocument": get(found, "indexDocumentSuffix"),
        "ErrorDocument": get(found, "errorDocument"),
        "RedirectAllRequestsTo": get(found, "redirectAllRequestsTo"),
        "RoutingRules": routing,
    }


def _cors(rule: Mapping[str, Json]) -> dict[str, Json]:
    known = {name: get(rule, name) for name in ("id", "allowedMethods", "allowedOrigins", "allowedHeaders")}
    age = _set(get(rule, "maxAgeSeconds"))
    return {**known, "ExposedHeaders": get(rule, "exposedHeaders"), "MaxAge": age or None}


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
