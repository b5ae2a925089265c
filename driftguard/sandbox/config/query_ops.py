"""Operations that read recorded items: discovery, batch get, history, advanced query."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from driftguard.sandbox.config.items import DELETED, Item, base, full, row
from driftguard.sandbox.config.recorder import active_recorder, need_recorder, present, visible
from driftguard.sandbox.config.scope import records, supported_types
from driftguard.sandbox.config.sql_parse import SqlError, parse
from driftguard.sandbox.config.sql_run import run
from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate

NEXT = "nextToken"
BAD_TOKEN = ("InvalidNextTokenException", "The specified next token is not valid.")
# GetResourceConfigHistory searches a bounded span per call and may answer an empty page with a token (boto3 issues
# 2619 and 3647 show it). The length of the span is not published; a week is invented.
WINDOW = dt.timedelta(days=7)


def check_type(name: str | None, member: str = "resourceType") -> str:
    """A resource type that Config knows; raises ValidationException."""
    if name not in supported_types():
        shown = f"'{name}'" if name else "null"
        raise ApiError(
            "ValidationException",
            f"1 validation error detected: Value {shown} at '{member}' failed to satisfy constraint: "
            "Member must satisfy enum value set",
        )
    return str(name)


@operation("config", "ListDiscoveredResources")
def list_discovered(context: Context, request: Request) -> Response:
    """Identifiers of the recorded resources of one type, deleted ones too if asked."""
    kind = check_type(request.get("resourceType"))
    need_recorder(context)
    ids, name = request.get("resourceIds") or [], request.get("resourceName")
    if ids and name:
        raise ApiError("ValidationException", "resourceIds and resourceName cannot be given together.")
    rows = []
    for (found_kind, id), past in visible(context, [kind]).items():
        last = past[-1]
        gone = last["configurationItemStatus"] in DELETED
        if found_kind != kind or (gone and not request.get("includeDeletedResources")):
            continue
        if (ids and id not in ids) or (name and last.get("resourceName") != name):
            continue
        identifier = {"resourceType": kind, "resourceId": id}
        if last.get("resourceName"):
            identifier["resourceName"] = last["resourceName"]
        if gone:
            identifier["resourceDeletionTime"] = last["configurationItemCaptureTime"]
        rows.append(identifier)
    page, more = paginate(rows, request, limit="limit", default=100, token=NEXT, invalid=BAD_TOKEN)
    return {"resourceIdentifiers": page, **more}


@operation("config", "GetDiscoveredResourceCounts")
def discovered_counts(context: Context, request: Request) -> Response:
    """How many resources of each type are recorded, most first."""
    wanted = request.get("resourceTypes") or None
    counts = Counter(item["resourceType"] for item in present(context, wanted))
    rows = [
        {"resourceType": kind, "count": count}
        for kind, count in sorted(counts.items(), key=lambda x: (-x[1], x[0]))
    ]
    page, more = paginate(rows, request, limit="limit", default=100, token=NEXT, invalid=BAD_TOKEN)
    return {"totalDiscoveredResources": sum(counts.values()), "resourceCounts": page, **more}


@operation("config", "BatchGetResourceConfig")
def batch_get(context: Context, request: Request) -> Response:
    """Present items of up to 100 resources; what is not recorded comes back as unprocessed or not at all.

    AWS leaves out resources it does not know and returns in `unprocessedKeys` those it could not read in time;
    here `config_unprocessed` of the world's timing says how many keys of each call are left over.
    """
    keys = request["resourceKeys"]
    if not 1 <= len(keys) <= 100:
        raise ApiError(
            "ValidationException",
            "1 validation error detected: Value at 'resourceKeys' failed to satisfy constraint: "
            "Member must have length less than or equal to 100",
        )
    need_recorder(context)
    known = visible(context, {key["resourceType"] for key in keys})
    left_over = int(context.world.timing["config_unprocessed"])
    taken = keys[: len(keys) - left_over] if 0 < left_over < len(keys) else keys
    items = []
    for key in taken:
        past = known.get((key["resourceType"], key["resourceId"]))
        if past and past[-1]["configurationItemStatus"] not in DELETED:
            items.append(base(past[-1]))
    return {"baseConfigurationItems": items, "unprocessedResourceKeys": keys[len(taken) :]}


@operation("config", "GetResourceConfigHistory")
def config_history(context: Context, request: Request) -> Response:
    """Items of one resource, newest first by default, one window of time per call."""
    kind = check_type(request.get("resourceType"))
    need_recorder(context)
    recorder = active_recorder(context)
    past = visible(context, [kind]).get((kind, request["resourceId"]))
    if not past:
        if recorder and not records(recorder, kind):
            raise ApiError(
                "ResourceNotDiscoveredException",
                f"Resource type {kind} is not recorded by the configuration recorder.",
            )
        raise ApiError(
            "ResourceNotDiscoveredException",
            f"Resource {request['resourceId']} of resourceType:{kind} is unknown or has not been discovered",
        )
    earlier, later = request.get("earlierTime"), request.get("laterTime")
    if earlier and later and earlier > later:
        raise ApiError("InvalidTimeRangeException", "The earlier time must be before the later time.")
    chosen = [
        item
        for item in past
        if (not earlier or item["configurationItemCaptureTime"] >= earlier)
        and (not later or item["configurationItemCaptureTime"] <= later)
    ]
    limit = int(request.get("limit") or 10)
    if not 1 <= limit <= 100:
        raise ApiError("InvalidLimitException", "The limit must be between 1 and 100.")
    forward = request.get("chronologicalOrder") == "Forward"
    pages = _windows(chosen, limit, forward=forward, newest=later or context.clock.now())
    at = _page_number(request.get("nextToken"), len(pages))
    more = {"nextToken": _token(at + 1)} if at + 1 < len(pages) else {}
    return {"configurationItems": [full(item) for item in pages[at]], **more}


def _windows(items: Sequence[Item], limit: int, *, forward: bool, newest: dt.datetime) -> list[list[Item]]:
    """Items cut into pages, each inside one window; windows without items make empty pages."""
    if not items:
        return [[]]
    ordered = sorted(items, key=lambda item: item["configurationItemCaptureTime"], reverse=not forward)
    edge = (
        ordered[0]["configurationItemCaptureTime"]
        if forward
        else max(newest, ordered[0]["configurationItemCaptureTime"])
    )
    pages: list[list[Item]] = [[]]
    for item in ordered:
        at = item["configurationItemCaptureTime"]
        while abs(at - edge) > WINDOW:
            edge += WINDOW if forward else -WINDOW
            pages.append([])
        if len(pages[-1]) == limit:
            pages.append([])
        pages[-1].append(item)
    return pages


def _token(page: int) -> str:
    return base64.urlsafe_b64encode(f"history:{page}".encode()).decode()


def _page_number(token: str | None, count: int) -> int:
    if not token:
        return 0
    try:
        kind, _, number = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if kind == "history" and 0 < int(number) < count:
            return int(number)
    except (ValueError, binascii.Error):
        pass
    raise ApiError(*BAD_TOKEN)


@operation("config", "SelectResourceConfig")
def select(context: Context, request: Request) -> Response:
    """An advanced query over this account and region."""
    return answer_query([row(item) for item in present(context)], request)


def answer_query(rows: Sequence[dict[str, Any]], request: Request) -> Response:
    """Run `Expression` over rows: 25 a page, 500 with aggregates, at most 100 where `Limit` asks."""
    limit = int(request.get("Limit") or 0)
    if not 0 <= limit <= 100:
        raise ApiError("InvalidLimitException", "The limit must be between 0 and 100.")
    try:
        query = parse(request["Expression"])
        results = run(query, rows)
    except SqlError as error:
        raise ApiError("InvalidExpressionException", str(error)) from error
    default = 500 if query.aggregates else 25
    texts = [json.dumps(result, default=str) for result in results]
    page, more = paginate(
        texts, {**request, "Limit": limit or None}, limit="Limit", default=default, invalid=BAD_TOKEN
    )
    fields = [{"Name": column.name} for column in query.columns]
    return {"Results": page, "QueryInfo": {"SelectFields": fields}, **more}
