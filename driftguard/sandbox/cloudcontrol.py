"""AWS Cloud Control API, on the same adapters as CloudFormation."""

from __future__ import annotations

import copy
import datetime as dt
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from driftguard.sandbox import schemas
from driftguard.sandbox.cfn.engine import handler_message
from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate
from driftguard.sandbox.types.base import Adapter, Properties, adapter_for

_SERVICE = "cloudcontrol"


@dataclass(kw_only=True)
class Progress:
    """One create, update or delete request; it is finished when the call returns."""

    token: str
    type_name: str
    verb: str
    at: dt.datetime
    identifier: str | None = None
    status: str = "SUCCESS"
    message: str | None = None
    code: str | None = None
    model: str | None = None


def _adapter(context: Context, type_name: str) -> Adapter:
    adapter, schema = adapter_for(type_name, context), schemas.schema_of(type_name)
    if adapter is not None and schema is not None and schema.readable:
        return adapter
    if schema is None:
        # Text as recorded by users of the AWS CLI.
        raise ApiError("TypeNotFoundException", f"The type '{type_name}' cannot be found.")
    raise ApiError(
        "UnsupportedActionException",
        f"Resource type {type_name} does not support READ action",
    )


def identifier_of(adapter: Adapter, id: str, properties: Properties | None = None) -> str:
    """Cloud Control's identifier of the resource with the physical id ``id``: the values of the schema's
    primaryIdentifier, joined by a bar."""
    own = adapter.identifier(id)
    if own is not None:
        return own
    schema = schemas.schema_of(adapter.type_name)
    found = schema.identifier_of(properties or adapter.read_or_none(id) or {}) if schema else None
    return found or id


def physical_id_of(adapter: Adapter, identifier: str) -> str | None:
    """The physical id behind an identifier, or None where there is no such resource."""
    try:
        direct = adapter.read_or_none(identifier)
    except (ClientError, ValueError, IndexError, KeyError):
        # The identifier does not have the form of a physical id.
        direct = None
    if direct is not None and identifier_of(adapter, identifier, direct) == identifier:
        return identifier
    for candidate in adapter.list_ids():
        if identifier_of(adapter, candidate) == identifier:
            return candidate
    return identifier if direct is not None else None


def _need(context: Context, type_name: str, identifier: str) -> tuple[Adapter, str, Properties]:
    adapter = _adapter(context, type_name)
    try:
        found = physical_id_of(adapter, identifier)
        properties = adapter.read_or_none(found) if found else None
    except ClientError as error:
        raise ApiError("GeneralServiceException", handler_message(error)) from error
    if found is None or properties is None:
        # Recorded form: "Resource of type 'AWS::X::Y' with identifier 'z' was not found.".
        raise ApiError(
            "ResourceNotFoundException",
            f"Resource of type '{type_name}' with identifier '{identifier}' was not found.",
        )
    return adapter, found, properties


def _shown(type_name: str, properties: Properties) -> str:
    schema = schemas.schema_of(type_name)
    readable = schemas.without(properties, schema.write_only) if schema else properties
    return json.dumps(readable, separators=(",", ":"), default=str)


@operation(_SERVICE, "GetResource")
def get_resource(context: Context, request: Request) -> Response:
    """The live properties of one resource."""
    type_name, identifier = request["TypeName"], request["Identifier"]
    _, _, properties = _need(context, type_name, identifier)
    return {
        "TypeName": type_name,
        "ResourceDescription": {"Identifier": identifier, "Properties": _shown(type_name, properties)},
    }


@operation(_SERVICE, "ListResources")
def list_resources(context: Context, request: Request) -> Response:
    """Identifiers, and such properties as the list handler gives: here the identifier's own.

    What a list handler returns differs by type on AWS, from the identifier alone to everything.
    """
    type_name = request["TypeName"]
    adapter = _adapter(context, type_name)
    schema = schemas.schema_of(type_name)
    wanted = json.loads(request.get("ResourceModel") or "{}")
    rows = []
    for id in adapter.list_ids():
        properties = adapter.read_or_none(id)
        if properties is None or any(properties.get(k) != v for k, v in wanted.items()):
            continue
        names = {pointer[0] for pointer in schema.primary_identifier} if schema else set()
        shown = {k: v for k, v in properties.items() if k in names}
        rows.append(
            {
                "Identifier": identifier_of(adapter, id, properties),
                "Properties": json.dumps(shown, separators=(",", ":"), default=str),
            }
        )
    page, more = paginate(
        rows,
        request,
        limit="MaxResults",
        default=100,
        invalid=("InvalidRequestException", "Invalid pagination token."),
    )
    return {"TypeName": type_name, "ResourceDescriptions": page, **more}


@operation(_SERVICE, "CreateResource")
def create_resource(context: Context, request: Request) -> Response:
    """Create a resource from its desired state."""
    type_name = request["TypeName"]
    adapter = _adapter(context, type_name)
    desired = _parse(request["DesiredState"])
    progress = _begin(context, type_name, "CREATE", None)
    name = str(desired.get(adapter.name_property) or "")
    if not name:
        name = f"{type_name.split('::')[-1]}-{uuid.uuid4().hex[:12]}"[: adapter.name_limit]
        name = name.lower() if adapter.lower_case_name else name
    try:
        with context.acting() as acting:
            id = adapter_for(type_name, acting).create(name, schemas.coerce(type_name, desired))  # type: ignore[union-attr]  # _adapter found it
        progress.identifier = identifier_of(adapter, id)
        progress.model = _shown(type_name, adapter.read_or_none(id) or {})
    except (ClientError, KeyError, TypeError, ValueError) as error:
        _fail(progress, error)
    return {"ProgressEvent": _event(progress)}


@operation(_SERVICE, "UpdateResource")
def update_resource(context: Context, request: Request) -> Response:
    """Apply a JSON patch (RFC 6902) to a resource."""
    type_name, identifier = request["TypeName"], request["Identifier"]
    adapter, id, live = _need(context, type_name, identifier)
    wanted = patch(live, _parse_list(request["PatchDocument"]))
    progress = _begin(context, type_name, "UPDATE", identifier)
    schema = schemas.schema_of(type_name)
    frozen = {p[0] for p in schema.create_only | schema.read_only} if schema else set()
    touched = sorted(name for name in frozen if live.get(name) != wanted.get(name))
    if touched:
        progress.status, progress.code = "FAILED", "NotUpdatable"
        progress.message = (
            f"Invalid patch update: readOnlyProperties or createOnlyProperties {touched} cannot be updated"
        )
        return {"ProgressEvent": _event(progress)}
    try:
        adapter.update(id, copy.deepcopy(live), schemas.coerce(type_name, wanted))
        progress.model = _shown(type_name, adapter.read_or_none(id) or {})
    except (ClientError, KeyError, TypeError, ValueError) as error:
        _fail(progress, error)
    return {"ProgressEvent": _event(progress)}


@operation(_SERVICE, "DeleteResource")
def delete_resource(context: Context, request: Request) -> Response:
    """Delete a resource."""
    type_name, identifier = request["TypeName"], request["Identifier"]
    adapter, id, _ = _need(context, type_name, identifier)
    progress = _begin(context, type_name, "DELETE", identifier)
    try:
        adapter.delete(id)
    except ClientError as error:
        _fail(progress, error)
    return {"ProgressEvent": _event(progress)}


@operation(_SERVICE, "GetResourceRequestStatus")
def get_resource_request_status(context: Context, request: Request) -> Response:
    """How a request ended."""
    return {"ProgressEvent": _event(_need_request(context, request["RequestToken"]))}


@operation(_SERVICE, "ListResourceRequests")
def list_resource_requests(context: Context, request: Request) -> Response:
    """All requests of the last seven days, filtered by operation and status."""
    chosen = request.get("ResourceRequestStatusFilter") or {}
    rows = [
        _event(p)
        for p in _requests(context).values()
        if p.verb in (chosen.get("Operations") or [p.verb])
        and p.status in (chosen.get("OperationStatuses") or [p.status])
    ]
    page, more = paginate(rows, request, limit="MaxResults", default=20)
    return {"ResourceRequestStatusSummaries": page, **more}


@operation(_SERVICE, "CancelResourceRequest")
def cancel_resource_request(context: Context, request: Request) -> Response:
    """Requests finish at once here, so that none can be cancelled any more."""
    progress = _need_request(context, request["RequestToken"])
    raise ApiError(
        "ConcurrentModificationException",
        f"Resource request with token {progress.token} has reached the terminal status {progress.status}",
    )


def _requests(context: Context) -> dict[str, Progress]:
    return context.store("cloudcontrol.requests")


def _need_request(context: Context, token: str) -> Progress:
    found = _requests(context).get(token)
    if found is None:
        raise ApiError("RequestTokenNotFoundException", f"Request with token {token} was not found")
    return found


def _begin(context: Context, type_name: str, verb: str, identifier: str | None) -> Progress:
    token = str(uuid.uuid4())
    progress = Progress(
        token=token, type_name=type_name, verb=verb, at=context.clock.now(), identifier=identifier
    )
    _requests(context)[token] = progress
    return progress


def _fail(progress: Progress, error: Exception) -> None:
    text = handler_message(error)
    progress.status, progress.message = "FAILED", text
    progress.code = text.rsplit("HandlerErrorCode: ", 1)[-1].rstrip(")")


def _event(progress: Progress) -> dict[str, Any]:
    return {
        "TypeName": progress.type_name,
        "Identifier": progress.identifier,
        "RequestToken": progress.token,
        "Operation": progress.verb,
        "OperationStatus": progress.status,
        "EventTime": progress.at,
        "ResourceModel": progress.model,
        "StatusMessage": progress.message,
        "ErrorCode": progress.code,
    }


def _parse(text: str) -> Properties:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ApiError("InvalidRequestException", "Invalid JSON in the desired state.") from error
    if not isinstance(value, dict):
        raise ApiError("InvalidRequestException", "The desired state must be a JSON object.")
    return value


def _parse_list(text: str) -> list[Mapping[str, Any]]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ApiError("InvalidRequestException", "Invalid JSON in the patch document.") from error
    if not isinstance(value, list):
        raise ApiError("InvalidRequestException", "The patch document must be a JSON array.")
    return value


def patch(properties: Properties, steps: list[Mapping[str, Any]]) -> Properties:
    """``properties`` after a JSON patch (add, remove, replace, test, copy, move).

    Raises ApiError InvalidRequestException where a step does not fit.
    """
    document: Any = copy.deepcopy(properties)
    for step in steps:
        try:
            document = _step(document, step)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            text = f"Invalid patch: {step.get('op')} {step.get('path')}"
            raise ApiError("InvalidRequestException", text) from error
    assert isinstance(document, dict)
    return document


def _step(document: Any, step: Mapping[str, Any]) -> Any:
    verb, value = step["op"], step.get("value")
    if verb in ("copy", "move"):
        value = copy.deepcopy(_at(document, _parts(step["from"])))
        if verb == "move":
            document = _step(document, {"op": "remove", "path": step["from"]})
        verb = "add"
    parts = _parts(step["path"])
    if not parts:
        return value
    parent, last = _at(document, parts[:-1]), parts[-1]
    if verb == "test":
        if _at(document, parts) != value:
            raise ValueError("test failed")
    elif isinstance(parent, list):
        index = len(parent) if last == "-" else int(last)
        if verb == "add":
            parent.insert(index, value)
        elif verb == "replace":
            parent[index] = value
        else:
            del parent[index]
    elif verb == "remove":
        del parent[last]
    elif verb in ("add", "replace"):
        if verb == "replace":
            parent[last]
        parent[last] = value
    else:
        raise ValueError(verb)
    return document


def _parts(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _at(document: Any, parts: list[str]) -> Any:
    for part in parts:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document
