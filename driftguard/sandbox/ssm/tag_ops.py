"""Tags of documents and automations here; those of parameters and the rest stay moto's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from driftguard.sandbox.core import ApiError, Context, Request, Response, operation
from driftguard.sandbox.ssm.documents import find
from driftguard.sandbox.ssm.starting import executions


def _own(context: Context, kind: str, id: str) -> dict[str, str] | None:
    """The mutable tags of something that the sandbox keeps itself; None for moto's things."""
    if kind == "Document":
        try:
            return find(context, id).tags
        except ApiError as error:
            raise ApiError("InvalidResourceId", "The resource ID isn't valid.") from error
    if kind == "Automation" and id in executions(context):
        kept: dict[str, str] = executions(context)[id].extra.setdefault("tag_map", {})
        return kept
    return None


def _moto(context: Context, call: Callable[[Any], Any]) -> Any:
    from moto.core.exceptions import ServiceException
    from moto.ssm.models import ssm_backends

    try:
        return call(ssm_backends[context.account][context.region])
    except ServiceException as error:
        raise ApiError(str(error.code), str(error.message)) from error


@operation("ssm", "AddTagsToResource")
def add_tags(context: Context, request: Request) -> Response:
    """Set tags."""
    kind, id = request["ResourceType"], request["ResourceId"]
    tags = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
    own = _own(context, kind, id)
    if own is not None:
        own.update(tags)
    else:
        _moto(context, lambda backend: backend.add_tags_to_resource(kind, id, tags))
    return {}


@operation("ssm", "RemoveTagsFromResource")
def remove_tags(context: Context, request: Request) -> Response:
    """Remove tags."""
    kind, id, keys = request["ResourceType"], request["ResourceId"], request["TagKeys"]
    own = _own(context, kind, id)
    if own is None:
        _moto(context, lambda backend: backend.remove_tags_from_resource(kind, id, keys))
        return {}
    for key in keys:
        own.pop(key, None)
    return {}


@operation("ssm", "ListTagsForResource")
def list_tags(context: Context, request: Request) -> Response:
    """The tags of one resource."""
    kind, id = request["ResourceType"], request["ResourceId"]
    tags = _own(context, kind, id)
    if tags is None:
        tags = _moto(context, lambda backend: backend.list_tags_for_resource(kind, id))
    return {"TagList": [{"Key": key, "Value": value} for key, value in (tags or {}).items()]}
