"""CloudTrail's event history: who changed what, and through what."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response as HttpResponse

from driftguard.sandbox import protocol
from driftguard.sandbox.core import (
    ApiError,
    Context,
    Principal,
    Request,
    Response,
    announce,
    current_call,
    operation,
    paginate,
)
from driftguard.sandbox.reads import only_reads

_GLOBAL = {"iam", "sts", "organizations", "route53", "cloudfront"}
_SOURCE = {
    "cloudcontrol": "cloudcontrolapi",
    "cloudwatch": "monitoring",
    "elbv2": "elasticloadbalancing",
    "elb": "elasticloadbalancing",
    "stepfunctions": "states",
    "resourcegroupstaggingapi": "tagging",
    "efs": "elasticfilesystem",
    "opensearch": "es",
    "ses": "email",
}
_SECRET = re.compile(r"password|secretstring|secretbinary|authtoken|plaintext|secretaccesskey", re.IGNORECASE)
_NAME = re.compile(r"(name|arn|id|url|ids|names|identifier|bucket|resources?)$", re.IGNORECASE)
_NO_NAME = {"clientrequesttoken", "requestid", "availabilityzoneid", "accountid", "awsaccountid"}
_ATTRIBUTES = {
    "EventId": "EventId",
    "EventName": "EventName",
    "ReadOnly": "ReadOnly",
    "Username": "Username",
    "EventSource": "EventSource",
    "AccessKeyId": "AccessKeyId",
}
_DAYS = 90
_MANAGEMENT = {"eventType": "AwsApiCall", "managementEvent": True, "eventCategory": "Management"}


def record(
    context: Context, http: HttpRequest, body: bytes, response: HttpResponse, failed: ApiError | None
) -> None:
    """Write a call into the trail of its account and region, if it is one that changes something."""
    reading = only_reads(context.operation) or context.operation in ("AssumeRole", "PutEvents")
    data_plane = context.service == "s3" and context.operation in ("PutObject", "DeleteObject", "CopyObject")
    if reading or data_plane or not context.account:
        return
    outer = current_call()
    caller = outer.principal if outer else context.principal
    service = source_of(outer.service) if outer else None
    agent = service or context.user_agent
    parameters = _parameters(context, http, body)
    error = failed.code if failed else _status_error(response)
    append(
        context,
        name=context.operation,
        source=source_of(context.service),
        principal=caller,
        invoked_by=caller.invoked_by or service,
        user_agent=agent,
        source_ip=service or context.source_ip,
        parameters=parameters,
        answer={} if error else _answer_names(response),
        error=error,
        error_message=failed.message if failed else None,
        access_key=context.access_key,
    )


def append(
    context: Context,
    *,
    name: str,
    source: str,
    principal: Principal,
    parameters: Mapping[str, Any],
    invoked_by: str | None = None,
    user_agent: str = "",
    source_ip: str = "127.0.0.1",
    answer: Mapping[str, Any] | None = None,
    error: str | None = None,
    error_message: str | None = None,
    access_key: str = "",
) -> None:
    """Write one event.  Events of global services go to us-east-1, as in AWS."""
    now = context.clock.now()
    region = "us-east-1" if source.removesuffix(".amazonaws.com") in _GLOBAL else context.region
    event_id = str(uuid.uuid4())
    detail: dict[str, Any] = {
        "eventVersion": "1.10",
        "userIdentity": _identity(principal, invoked_by, now, access_key),
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": source,
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": source_ip,
        "userAgent": user_agent,
        **_error(error, error_message),
        "requestParameters": _lower(_masked(parameters)) or None,
        "responseElements": None,
        "requestID": context.request_id,
        "eventID": event_id,
        "readOnly": False,
        "recipientAccountId": context.account,
        **_MANAGEMENT,
        **_console(user_agent),
    }
    event = {
        "EventId": event_id,
        "EventName": name,
        "ReadOnly": "false",
        "AccessKeyId": access_key or None,
        "EventTime": now,
        "EventSource": source,
        "Username": principal.name,
        "Resources": _resources(parameters, answer or {}),
        "CloudTrailEvent": json.dumps(detail, default=str),
    }
    _keep(context.at(region=region), event, detail)


def _error(code: str | None, message: str | None) -> dict[str, str]:
    return {"errorCode": code, "errorMessage": message or ""} if code else {}


def _keep(context: Context, event: dict[str, Any], detail: Mapping[str, Any]) -> None:
    context.store("cloudtrail.events").setdefault("events", []).append(event)
    # EventBridge user guide, "AWS service events delivered via CloudTrail".
    announce(
        context,
        source=f"aws.{detail['eventSource'].removesuffix('.amazonaws.com')}",
        kind="AWS API Call via CloudTrail",
        detail=detail,
    )


def _console(user_agent: str) -> dict[str, str]:
    """The mark of a call made in the AWS console, for which a user agent of that name stands."""
    return {"sessionCredentialFromConsole": "true"} if "console" in user_agent.lower() else {}


def source_of(service: str) -> str:
    """CloudTrail's event source of a boto3 service."""
    return f"{_SOURCE.get(service, service)}.amazonaws.com"


def _identity(who: Principal, invoked_by: str | None, now: dt.datetime, access_key: str) -> dict[str, Any]:
    identity: dict[str, Any] = {
        "type": who.kind,
        "principalId": who.principal_id,
        "arn": who.arn,
        "accountId": who.account,
    }
    if access_key:
        identity["accessKeyId"] = access_key
    if who.kind == "IAMUser":
        identity["userName"] = who.name
    if who.role_arn:
        identity["sessionContext"] = {
            "sessionIssuer": {
                "type": "Role",
                "principalId": who.principal_id.partition(":")[0],
                "arn": who.role_arn,
                "accountId": who.account,
                "userName": who.role_arn.rsplit("/", 1)[-1],
            },
            "attributes": {"creationDate": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "mfaAuthenticated": "false"},
        }
    if invoked_by:
        identity["invokedBy"] = invoked_by
    return identity


def _parameters(context: Context, http: HttpRequest, body: bytes) -> dict[str, Any]:
    try:
        return protocol.parse(
            context.service,
            context.operation,
            body=body,
            path=_rest_path(context, http),
            query=http.args,
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, protocol.UnknownOperationError):
        # The service has answered that the request is malformed; the trail still names the call.
        return {}


def _rest_path(context: Context, http: HttpRequest) -> str:
    bucket = http.host.partition(".s3")[0] if context.service == "s3" and ".s3" in http.host else ""
    return f"/{bucket}{http.path}" if bucket else http.path


def _status_error(response: HttpResponse) -> str | None:
    if response.status_code < 400:
        return None
    text = response.get_data()[:4000].decode("utf-8", "replace")
    found = re.search(r"<Code>([^<]+)</Code>", text) or re.search(r'"__type":\s*"(?:[^"#]*#)?([^"]+)"', text)
    return found[1] if found else str(response.status_code)


def _answer_names(response: HttpResponse) -> dict[str, Any]:
    """Ids and ARNs that an answer gives to something new: short leaves only."""
    text = response.get_data()[:20_000].decode("utf-8", "replace")
    pairs = re.findall(r"<(\w*(?:Id|Arn|ARN|Url|Name))>([^<]{1,300})</\1>", text)
    pairs += re.findall(r'"(\w*(?:Id|Arn|ARN|arn|Url|Name))":\s*"([^"]{1,300})"', text)
    return {f"{name}#{position}": value for position, (name, value) in enumerate(pairs)}


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, name)
    elif isinstance(value, str):
        yield name.partition("#")[0], value


def _resources(parameters: Mapping[str, Any], answer: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the call names.  CloudTrail gives a ResourceType as well for some services; here only names,
    which is what Lookup's attribute ResourceName is matched with."""
    names: dict[str, None] = {}
    for source in (parameters, answer):
        for key, value in _leaves(source):
            plain = key.lower()
            if plain in _NO_NAME or plain.endswith(("requestid", "token")) or len(value) > 300:
                continue
            if _NAME.search(key) and not _SECRET.search(key) and "{" not in value:
                names.setdefault(value)
    return [{"ResourceName": name} for name in list(names)[:25]]


def _masked(value: Any, key: str = "") -> Any:
    if isinstance(value, Mapping):
        return {k: _masked(v, str(k)) for k, v in value.items()}
    if isinstance(value, list):
        return [_masked(v, key) for v in value]
    # CloudTrail writes this in place of every sensitive parameter.
    return (
        "HIDDEN_DUE_TO_SECURITY_REASONS" if _SECRET.search(key) and isinstance(value, str | bytes) else value
    )


def _lower(value: Mapping[str, Any]) -> dict[str, Any]:
    """First letters in lower case, as CloudTrail writes request parameters."""
    return {
        key[:1].lower() + key[1:]: _lower(item) if isinstance(item, Mapping) else item
        for key, item in value.items()
    }


@operation("cloudtrail", "LookupEvents")
def lookup_events(context: Context, request: Request) -> Response:
    """The newest events first; one attribute at most, 50 a page, 90 days."""
    attributes = request.get("LookupAttributes") or []
    if len(attributes) > 1:
        # Text invented; the API reference says that only one attribute may be given.
        raise ApiError("InvalidLookupAttributesException", "You can specify only one lookup attribute.")
    limit = request.get("MaxResults")
    if limit is not None and not 1 <= limit <= 50:
        raise ApiError(
            "InvalidMaxResultsException", "A value between 1 and 50 must be specified for max results."
        )
    start, end = request.get("StartTime"), request.get("EndTime")
    if start and end and start > end:
        raise ApiError("InvalidTimeRangeException", "Start time cannot be after end time.")
    oldest = context.clock.now() - dt.timedelta(days=_DAYS)
    visible = context.clock.now() - dt.timedelta(seconds=context.world.timing["trail_lag"])
    found = [
        event
        for event in reversed(context.store("cloudtrail.events").get("events", []))
        if max(oldest, start or oldest) <= event["EventTime"] <= min(visible, end or visible)
        and all(_has(event, a["AttributeKey"], a["AttributeValue"]) for a in attributes)
    ]
    page, more = paginate(
        found,
        request,
        limit="MaxResults",
        default=50,
        invalid=("InvalidNextTokenException", "Invalid or expired token."),
    )
    return {"Events": page, **more}


def _has(event: Mapping[str, Any], key: str, value: str) -> bool:
    if key in ("ResourceName", "ResourceType"):
        return any(resource.get(key) == value for resource in event["Resources"])
    return bool(event.get(_ATTRIBUTES.get(key, "")) == value)
