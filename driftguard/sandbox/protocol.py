"""AWS requests read: which operation is this, and what are its parameters?

Everything follows botocore's own service models, so what the sandbox owns speaks the wire format that
boto3 speaks.  The shapes of the protocols (query, ec2, json, rest-json, rest-xml) are described at
https://smithy.io/2.0/aws/protocols/.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

import botocore.loaders
import botocore.utils
from botocore.model import OperationModel, OperationNotFoundError, ServiceModel

Shape = Any
"""A botocore shape; which of its classes it is stands in ``type_name``."""

_loader = botocore.loaders.Loader()

# Signing names that differ from the name of boto3's client.
_BY_SIGNING_NAME = {
    "access-analyzer": "accessanalyzer",
    "application-autoscaling": "application-autoscaling",
    "cloudcontrolapi": "cloudcontrol",
    "codestar-connections": "codestar-connections",
    "elasticfilesystem": "efs",
    "elasticloadbalancing": "elbv2",
    "elasticmapreduce": "emr",
    "email": "ses",
    "es": "opensearch",
    "kafka": "kafka",
    "monitoring": "cloudwatch",
    "route53": "route53",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}


class UnknownOperationError(Exception):
    """The request is for a service that botocore does not know, or for none of its operations."""


def service_of(signing_name: str, path: str, host: str, form: Mapping[str, str]) -> str:
    """boto3's name of the service that a request signed for ``signing_name`` is meant for."""
    if signing_name == "s3" and (path.startswith("/v20180820/") or "s3-control" in host):
        return "s3control"
    if signing_name == "apigateway" and path.startswith("/v2/"):
        return "apigatewayv2"
    if signing_name == "elasticloadbalancing" and form.get("Version") == "2012-06-01":
        return "elb"
    if signing_name == "email" and path.startswith("/v2/"):
        return "sesv2"
    return _BY_SIGNING_NAME.get(signing_name, signing_name)


@cache
def model(service: str) -> ServiceModel:
    """botocore's model of a service; raises UnknownOperationError if there is none."""
    try:
        description = _loader.load_service_model(service, "service-2")
    except botocore.exceptions.UnknownServiceError as error:
        raise UnknownOperationError(service) from error
    return ServiceModel(description, service)


def protocol_of(service: str) -> str:
    """query, ec2, json, rest-json or rest-xml; json where the service is unknown."""
    try:
        return str(model(service).resolved_protocol)
    except UnknownOperationError:
        return "json"


def operation_of(
    service: str, *, method: str, path: str, query: Mapping[str, str], target: str, action: str
) -> str:
    """The operation that a request is for; raises UnknownOperationError if there is none such."""
    known = model(service).operation_names
    protocol = protocol_of(service)
    if protocol in ("query", "ec2"):
        name = action
    elif protocol == "json":
        name = target.rpartition(".")[2]
    else:
        return _match_route(service, method, path, query)
    if name not in known:
        raise UnknownOperationError(name or "?")
    return name


@cache
def _routes(service: str) -> list[tuple[str, list[str], dict[str, str], list[str], str]]:
    """(method, path segments, fixed query, required query names, operation) of a REST service."""
    routes = []
    for name in model(service).operation_names:
        operation = model(service).operation_model(name)
        uri, _, fixed = operation.http["requestUri"].partition("?")
        shape: Shape = operation.input_shape
        required = [
            member.serialization.get("name", key)
            for key, member in (shape.members.items() if shape else ())
            if member.serialization.get("location") == "querystring" and key in shape.required_members
        ]
        segments = [part for part in uri.split("/") if part]
        query = dict(parse_qsl(fixed, keep_blank_values=True))
        routes.append((operation.http["method"], segments, query, required, name))
    return routes


def _match_route(service: str, method: str, path: str, query: Mapping[str, str]) -> str:
    given = [part for part in path.split("/") if part]
    best: tuple[tuple[int, int, int, bool], str] | None = None
    for verb, segments, fixed, required, name in _routes(service):
        greedy = bool(segments) and segments[-1].endswith("+}")
        if verb != method or any(k not in query or (v and query[k] != v) for k, v in fixed.items()):
            continue
        if any(k not in query for k in required):
            continue
        if len(segments) != len(given) and not (greedy and len(given) >= len(segments)):
            continue
        if any(not s.startswith("{") and s != g for s, g in zip(segments, given, strict=False)):
            continue
        score = (sum(not s.startswith("{") for s in segments), len(fixed), len(required), not greedy)
        if best is None or score > best[0]:
            best = (score, name)
    if best is None:
        raise UnknownOperationError(f"{method} {path}")
    return best[1]


def parse(
    service: str, operation: str, *, body: bytes, path: str, query: Mapping[str, str]
) -> dict[str, Any]:
    """The parameters of a request, as a caller of boto3 would have passed them."""
    try:
        operation_model = model(service).operation_model(operation)
    except OperationNotFoundError:
        raise UnknownOperationError(f"{service}:{operation}") from None
    shape = operation_model.input_shape
    if shape is None:
        return {}
    protocol = protocol_of(service)
    if protocol in ("query", "ec2"):
        form = dict(parse_qsl(body.decode() if body else "", keep_blank_values=True)) or dict(query)
        return _from_form(shape, form, "", ec2=protocol == "ec2") or {}
    if protocol == "json":
        return dict(_from_json(shape, json.loads(body or b"{}")))
    return _from_rest(operation_model, body, path, query)


def _from_rest(operation: OperationModel, body: bytes, path: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Path, query string and JSON body of a REST request; an XML body is left out."""
    shape: Shape = operation.input_shape
    found: dict[str, Any] = {}
    template = [s for s in operation.http["requestUri"].partition("?")[0].split("/") if s]
    given = [s for s in path.split("/") if s]
    in_path: dict[str, str] = {}
    for position, segment in enumerate(template):
        if segment.endswith("+}"):
            in_path[segment[1:-2]] = unquote("/".join(given[position:]))
        elif segment.startswith("{"):
            in_path[segment[1:-1]] = unquote(given[position])
    text = body.lstrip()
    content = json.loads(text) if text.startswith(b"{") else {}
    for name, member in shape.members.items():
        wire = member.serialization.get("name", name)
        location = member.serialization.get("location")
        if location == "uri" and wire in in_path:
            found[name] = in_path[wire]
        elif location == "querystring" and wire in query:
            found[name] = query[wire]
        elif location is None and content.get(wire) is not None:
            found[name] = _from_json(member, content[wire])
    return found


def _scalar(shape: Shape, value: Any) -> Any:
    kind = shape.type_name
    if kind == "boolean":
        return value in (True, "true", "True")
    if kind in ("integer", "long"):
        return int(value)
    if kind in ("float", "double"):
        return float(value)
    if kind == "timestamp":
        return botocore.utils.parse_timestamp(value)
    return base64.b64decode(value) if kind == "blob" else value


def _from_json(shape: Shape, value: Any) -> Any:
    kind = shape.type_name
    if value is None:
        return None
    if kind == "structure":
        if getattr(shape, "is_document_type", False):
            return value
        names = {key: member.serialization.get("name", key) for key, member in shape.members.items()}
        return {
            key: _from_json(member, value[names[key]])
            for key, member in shape.members.items()
            if value.get(names[key]) is not None
        }
    if kind == "list":
        return [_from_json(shape.member, item) for item in value]
    if kind == "map":
        return {key: _from_json(shape.value, item) for key, item in value.items()}
    return _scalar(shape, value)


def _from_form(shape: Shape, form: Mapping[str, str], prefix: str, *, ec2: bool) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return _structure_from_form(shape, form, prefix, ec2)
    if kind == "list":
        return _list_from_form(shape, form, prefix, ec2)
    if kind == "map":
        return _map_from_form(shape, form, prefix, ec2)
    return _scalar(shape, form[prefix]) if prefix in form else None


def _structure_from_form(shape: Shape, form: Mapping[str, str], prefix: str, ec2: bool) -> Any:
    dot = f"{prefix}." if prefix else ""
    found = {}
    for key, member in shape.members.items():
        wire = member.serialization.get("name", key)
        if ec2:
            wire = member.serialization.get("queryName") or wire
            wire = wire[0].upper() + wire[1:]
        value = _from_form(member, form, dot + wire, ec2=ec2)
        if value is not None:
            found[key] = value
    if found or not prefix or any(key.startswith(dot) for key in form):
        return found
    return None


def _list_from_form(shape: Shape, form: Mapping[str, str], prefix: str, ec2: bool) -> Any:
    flat = ec2 or shape.serialization.get("flattened")
    name = shape.member.serialization.get("name")
    base = prefix if flat else f"{prefix}.{name or 'member'}"
    if flat and not ec2 and name:
        base = ".".join([*prefix.split(".")[:-1], name])
    items: list[Any] = []
    while (item := _from_form(shape.member, form, f"{base}.{len(items) + 1}", ec2=ec2)) is not None:
        items.append(item)
    return items or ([] if form.get(prefix) == "" else None)


def _map_from_form(shape: Shape, form: Mapping[str, str], prefix: str, ec2: bool) -> Any:
    base = prefix if shape.serialization.get("flattened") else f"{prefix}.entry"
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    found: dict[str, Any] = {}
    position = 1
    while (key := form.get(f"{base}.{position}.{key_name}")) is not None:
        found[key] = _from_form(shape.value, form, f"{base}.{position}.{value_name}", ec2=ec2)
        position += 1
    return found or None
