"""AWS answers written: results and errors in the wire format of each service."""

from __future__ import annotations

import base64
import datetime as dt
import json
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from driftguard.sandbox.core import ApiError, Context, Response
from driftguard.sandbox.protocol import Shape, UnknownOperationError, model, protocol_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP response: status, headers, body."""

    status: int
    headers: dict[str, str]
    body: bytes


def success(context: Context, result: Response) -> Answer:
    """The answer that carries ``result``, a value in the shape boto3 returns."""
    service = model(context.service)
    shape = service.operation_model(context.operation).output_shape
    protocol = protocol_of(context.service)
    headers = {"x-amzn-requestid": context.request_id}
    if protocol in ("json", "rest-json"):
        headers["Content-Type"] = (
            f"application/x-amz-json-{service.metadata['jsonVersion']}"
            if protocol == "json"
            else "application/json"
        )
        body = json.dumps(_as_json(shape, result) if shape else {})
        return Answer(status=200, headers=headers, body=body.encode())
    headers["Content-Type"] = "text/xml"
    return Answer(status=200, headers=headers, body=_xml_body(context, shape, result).encode())


def _xml_body(context: Context, shape: Shape | None, result: Response) -> str:
    service = model(context.service)
    namespace = service.metadata.get("xmlNamespace", "")
    if isinstance(namespace, dict):
        namespace = namespace.get("uri", "")
    inner = _members(shape, result) if shape else ""
    name = context.operation
    if protocol_of(context.service) == "ec2":
        return (
            f'<{name}Response xmlns="{namespace}"><requestId>{context.request_id}</requestId>'
            f"{inner}</{name}Response>"
        )
    if protocol_of(context.service) == "rest-xml":
        return (
            f'<{shape.name if shape else name} xmlns="{namespace}">{inner}</{shape.name if shape else name}>'
        )
    if shape:
        wrapper = shape.serialization.get("resultWrapper", f"{name}Result")
        inner = f"<{wrapper}>{inner}</{wrapper}>"
    return (
        f'<{name}Response xmlns="{namespace}">{inner}<ResponseMetadata><RequestId>{context.request_id}'
        f"</RequestId></ResponseMetadata></{name}Response>"
    )


def failure(context: Context, error: ApiError) -> Answer:
    """The answer that carries ``error``, with the status the service model has for its code."""
    protocol = protocol_of(context.service)
    shape = _error_shape(context.service, error.code)
    modelled = shape.metadata.get("error", {}) if shape else {}
    status = modelled.get("httpStatusCode", error.status)
    if protocol in ("json", "rest-json"):
        # The code goes out under the shape's name: that is what botocore makes exceptions of.
        code = error.code
        body: Any = {"__type": code, "message": error.message, "Message": error.message}
        body |= {name: _plain(value) for name, value in error.fields.items()}
        content = "application/x-amz-json-1.1" if protocol == "json" else "application/json"
        return Answer(
            status=status,
            headers={
                "Content-Type": content,
                "x-amzn-ErrorType": code,
                "x-amzn-requestid": context.request_id,
            },
            body=json.dumps(body).encode(),
        )
    code = modelled.get("code", error.code)
    text = f"<Code>{escape(code)}</Code><Message>{escape(error.message)}</Message>"
    if protocol == "ec2":
        body = f"<Response><Errors><Error>{text}</Error></Errors><RequestID>{context.request_id}</RequestID></Response>"
    elif context.service == "s3":
        body = f"<Error>{text}<RequestId>{context.request_id}</RequestId></Error>"
    else:
        side = "Receiver" if error.server_fault else "Sender"
        body = (
            f"<ErrorResponse><Error><Type>{side}</Type>{text}</Error>"
            f"<RequestId>{context.request_id}</RequestId></ErrorResponse>"
        )
    headers = {"Content-Type": "text/xml", "x-amzn-requestid": context.request_id}
    return Answer(status=status, headers=headers, body=body.encode())


def _error_shape(service: str, code: str) -> Shape | None:
    try:
        shapes = model(service).error_shapes
    except UnknownOperationError:
        return None
    for shape in shapes:
        if code in (shape.name, shape.metadata.get("error", {}).get("code")):
            return shape
    return None


def _plain(value: Any) -> Any:
    return value.timestamp() if isinstance(value, dt.datetime) else value


def _as_json(shape: Shape, value: Any) -> Any:
    kind = shape.type_name
    if value is None:
        return None
    if kind == "structure":
        if getattr(shape, "is_document_type", False):
            return value
        return {
            member.serialization.get("name", key): _as_json(member, value[key])
            for key, member in shape.members.items()
            if value.get(key) is not None
        }
    if kind == "list":
        return [_as_json(shape.member, item) for item in value]
    if kind == "map":
        return {key: _as_json(shape.value, item) for key, item in value.items()}
    if isinstance(value, dt.datetime):
        if shape.serialization.get("timestampFormat") == "iso8601":
            return _iso(value)
        return value.timestamp()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _iso(value: dt.datetime) -> str:
    return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return _iso(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return escape(value if isinstance(value, str) else json.dumps(value, default=str))


def _members(shape: Shape, value: Response) -> str:
    return "".join(
        _xml(member, member.serialization.get("name", key), value[key])
        for key, member in shape.members.items()
        if value.get(key) is not None
    )


def _xml(shape: Shape, tag: str, value: Any) -> str:
    kind = shape.type_name
    if kind == "structure":
        return f"<{tag}>{_members(shape, value)}</{tag}>"
    if kind == "list":
        name = shape.member.serialization.get("name")
        if shape.serialization.get("flattened"):
            return "".join(_xml(shape.member, name or tag, item) for item in value)
        return f"<{tag}>{''.join(_xml(shape.member, name or 'member', item) for item in value)}</{tag}>"
    if kind == "map":
        key_tag = shape.key.serialization.get("name", "key")
        value_tag = shape.value.serialization.get("name", "value")
        entries = "".join(
            f"<entry>{_xml(shape.key, key_tag, key)}{_xml(shape.value, value_tag, item)}</entry>"
            for key, item in value.items()
        )
        return f"<{tag}>{entries}</{tag}>"
    return f"<{tag}>{_text(value)}</{tag}>"
