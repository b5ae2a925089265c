"""Faults of pagination: empty pages that go on, and pages that repeat for ever."""

from __future__ import annotations

from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response as HttpResponse

from driftguard.sandbox import answer, protocol
from driftguard.sandbox.core import EMPTY_PAGE, OPERATIONS, Context, Response
from driftguard.sandbox.faults import Rule

_TOKENS = ("NextToken", "nextToken", "Marker", "NextMarker", "PaginationToken")


def distort(rules: list[Rule], context: Context, http: HttpRequest, body: bytes) -> HttpResponse | None:
    """A page without items but with a token (``empty_pages``), or the token that was sent, given back
    with the first page (``repeated_pages``); None where no such rule hits or the operation has no pages.

    AWS Config sends empty pages with a token (boto3 issues 2619, 3154, 3647); the token of an empty page
    is the one that came in, so that the next call goes on where this one stood.
    """
    kind = next((rule.kind for rule in rules if rule.kind in ("empty_pages", "repeated_pages")), None)
    handler = OPERATIONS.get((context.service, context.operation))
    shape = (
        protocol.model(context.service).operation_model(context.operation).output_shape if handler else None
    )
    token = next((name for name in _TOKENS if shape and name in shape.members), None)
    if kind is None or handler is None or shape is None or token is None:
        return None
    request = protocol.parse(context.service, context.operation, body=body, path=http.path, query=http.args)
    result: Response
    if kind == "empty_pages":
        lists: Response = {name: [] for name, member in shape.members.items() if member.type_name == "list"}
        result = {**lists, token: request.get(token) or EMPTY_PAGE}
    else:
        request.pop(token, None)
        with context.world.lock, context.acting() as acting:
            result = {**(handler(acting, request) or {}), token: "repeated-page"}
    found = answer.success(context, result)
    return HttpResponse(found.body, status=found.status, headers=found.headers)
