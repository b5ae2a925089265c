"""How the API answers: canonical JSON with an ETag, pages, and requests that may be sent twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import Depends, Header
from fastapi import Query as Parameter
from starlette.requests import Request
from starlette.responses import Response

from driftguard.errors import DriftguardError, InputError, RefusedError
from driftguard.history.codec import canonical, encode
from driftguard.history.port import Page, Query
from driftguard.model import Json, ResourceKey
from driftguard.service.calling import Calling, Serving, key_id

T = TypeVar("T")
_KIND = "idempotency"
_KEPT = timedelta(hours=24)
_Values = Annotated[list[str], Parameter(max_length=100)]

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "Not changed since the ETag that was sent."}
}
CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {
        "description": "A guard refused, or the same Idempotency-Key is being worked on.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}


def answer(request: Request, value: Json, status: int = 200) -> Response:
    """``value`` as JSON with an ETag; 304 when the caller has it already."""
    body = orjson.dumps(value, default=str)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    # The comparison is a weak one: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2
    known = {part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")}
    if status == 200 and known & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, status, headers, "application/json")


def listed(request: Request, page: Page[T], document: Callable[[T], Json]) -> Response:
    """One page of a list."""
    items = [document(one) for one in page.items]
    return answer(request, {"items": items, "cursor": page.cursor, "total": page.total})


def keyed(document: Json, key: ResourceKey) -> Json:
    """A document with the id of its resource."""
    return {**document, "resource_id": key_id(key)}


def _narrowing(
    account: _Values = [],  # noqa: B006 - FastAPI copies defaults
    region: _Values = [],  # noqa: B006
    type: _Values = [],  # noqa: B006
    stack: _Values = [],  # noqa: B006
    severity: _Values = [],  # noqa: B006
    status: _Values = [],  # noqa: B006
    kind: _Values = [],  # noqa: B006
    policy: _Values = [],  # noqa: B006
    q: Annotated[str, Parameter(max_length=400, description="Names, ids and titles that hold this.")] = "",
    order: Annotated[str, Parameter(max_length=40, description="A field; `-` in front turns it round.")] = "",
    cursor: Annotated[str | None, Parameter(max_length=4000)] = None,
    limit: Annotated[int, Parameter(ge=1, le=1000)] = 100,
) -> Query:
    return Query(
        accounts=tuple(account),
        regions=tuple(region),
        types=tuple(type),
        stacks=tuple(stack),
        severities=tuple(severity),
        statuses=tuple(status),
        kinds=tuple(kind),
        subjects=tuple(policy),
        text=q,
        order=order,
        cursor=cursor,
        limit=limit,
    )


Narrowed = Annotated[Query, Depends(_narrowing)]


@dataclass(frozen=True, slots=True)
class Once:
    """A deed that is done once for each Idempotency-Key of a caller, however often it is asked for.

    The caller is the token or the session: two tokens may have the same name.
    """

    request: Request
    services: Serving
    who: Calling
    key: str | None

    def __call__(
        self, body: Json, may: Callable[[], object], deed: Callable[[], Json], status: int = 201
    ) -> Response:
        """The answer of ``deed``; that of the first time when the key is known.

        ``may`` raises when the caller may not do it, or may not any more: what was answered once is told to nobody
        else.  Raises `RefusedError` while the first is under way, `InputError` when the key came with another body.
        """
        may()
        if self.key is None:
            return answer(self.request, encode(deed()), status)
        store = self.services.store
        name = hashlib.sha256(
            "\x1f".join((self.who.kind, self.who.session, self.request.url.path, self.key)).encode(
                "utf-8", "replace"
            )
        ).hexdigest()
        digest = hashlib.sha256(canonical(body)).hexdigest()
        end = datetime.now(UTC) + _KEPT
        if not store.add_document(_KIND, name, {"digest": digest}, expires_at=end):
            return self._again(name, digest, status)
        try:
            result = encode(deed())
        except DriftguardError:
            store.take_document(_KIND, name)
            raise
        store.put_document(_KIND, name, {"digest": digest, "answer": result}, expires_at=end)
        return answer(self.request, result, status)

    def _again(self, name: str, digest: str, status: int) -> Response:
        known = self.services.store.document(_KIND, name)
        if known is None or "answer" not in known.value:
            raise RefusedError(
                "the same request is being worked on.", guard="idempotency", fix="Ask again later."
            )
        if known.value["digest"] != digest:
            raise InputError("this Idempotency-Key came with another request.", fix="Use a new key for it.")
        return answer(self.request, known.value["answer"], status)


def _once(
    request: Request,
    services: Serving,
    who: Calling,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> Once:
    return Once(request, services, who, idempotency_key)


OnceOnly = Annotated[Once, Depends(_once)]


def mapped(items: Sequence[T], document: Callable[[T], Json]) -> list[Json]:
    """Each of ``items`` as a document."""
    return [document(one) for one in items]
