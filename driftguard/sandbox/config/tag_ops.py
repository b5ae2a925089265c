"""Tags of AWS Config's own resources, and stored queries."""

from __future__ import annotations

import uuid
from typing import Any

from driftguard.sandbox.config.query_ops import BAD_TOKEN
from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate


def tags_of(context: Context, arn: str) -> dict[str, str]:
    """The tags of a rule, aggregator, pack or recorder by its ARN; changes to the mapping stay."""
    kept: dict[str, str] = context.store("config.tags").setdefault(arn, {})
    return kept


@operation("config", "TagResource")
def tag(context: Context, request: Request) -> Response:
    """Set tags."""
    tags_of(context, request["ResourceArn"]).update({tag["Key"]: tag["Value"] for tag in request["Tags"]})
    return {}


@operation("config", "UntagResource")
def untag(context: Context, request: Request) -> Response:
    """Remove tags."""
    for key in request["TagKeys"]:
        tags_of(context, request["ResourceArn"]).pop(key, None)
    return {}


@operation("config", "ListTagsForResource")
def list_tags(context: Context, request: Request) -> Response:
    """The tags of one resource."""
    rows = [{"Key": key, "Value": value} for key, value in tags_of(context, request["ResourceArn"]).items()]
    page, more = paginate(rows, request, limit="Limit", default=50, invalid=BAD_TOKEN)
    return {"Tags": page, **more}


def _queries(context: Context) -> dict[str, dict[str, Any]]:
    return context.store("config.queries")


@operation("config", "PutStoredQuery")
def put_query(context: Context, request: Request) -> Response:
    """Keep an advanced query under a name."""
    given = dict(request["StoredQuery"])
    known = _queries(context).get(given["QueryName"])
    id = known["QueryId"] if known else str(uuid.uuid4())
    arn = f"arn:{context.partition}:config:{context.region}:{context.account}:stored-query/{given['QueryName']}/{id}"
    _queries(context)[given["QueryName"]] = {**given, "QueryId": id, "QueryArn": arn}
    return {"QueryArn": arn}


@operation("config", "GetStoredQuery")
def get_query(context: Context, request: Request) -> Response:
    """One kept query."""
    found = _queries(context).get(request["QueryName"])
    if not found:
        raise ApiError("ResourceNotFoundException", "You have specified a resource that does not exist.")
    return {"StoredQuery": found}


@operation("config", "ListStoredQueries")
def list_queries(context: Context, request: Request) -> Response:
    """All kept queries, without their expressions."""
    rows = [
        {key: found[key] for key in ("QueryId", "QueryArn", "QueryName", "Description") if key in found}
        for found in _queries(context).values()
    ]
    page, more = paginate(rows, request, limit="MaxResults", default=100, invalid=BAD_TOKEN)
    return {"StoredQueryMetadata": page, **more}


@operation("config", "DeleteStoredQuery")
def delete_query(context: Context, request: Request) -> Response:
    """Forget a kept query."""
    if not _queries(context).pop(request["QueryName"], None):
        raise ApiError("ResourceNotFoundException", "You have specified a resource that does not exist.")
    return {}
