"""How the API answers: canonical JSON with an ETag, pages, and requests that may be sent twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from inspect import Parameter, signature
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import Depends, Header
from fastapi import Query as QueryParameter
from fastapi.exceptions import RequestValidationError
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
_Values = Annotated[list[str], QueryParameter(max_length=100)]

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
    q: Annotated[
        str, QueryParameter(max_length=400, description="Names, ids and titles that hold this.")
    ] = "",
    order: Annotated[
        str, QueryParameter(max_length=40, description="A field; `-` in front turns it round.")
    ] = "",
    cursor: Annotated[str | None, QueryParameter(max_length=4000)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
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


_FILTERS = frozenset({"account", "region", "type", "stack", "severity", "status", "kind", "policy", "q"})


def narrowed(*fields: str, **known: Iterable[str]) -> Any:
    """The query of a list that is narrowed by ``fields``, and by no other of the filters that lists have.

    ``known`` names the values that a field may have.  A filter that a list would not heed is refused: whoever wrote it
    would take the answer for a narrowed one.
    """
    words = {name: frozenset(values) for name, values in known.items()}

    def read(request: Request, **given: Any) -> Query:
        for name in dict.fromkeys(request.query_params):
            if name in _FILTERS and name not in fields:
                raise _invalid(name, f"this list is narrowed by {', '.join(fields)} alone")
        for name, values in words.items():
            for value in given[name]:
                if value.upper() not in values and not {*value} & {"*", "?"}:
                    raise _invalid(name, f"is none of {', '.join(sorted(values))}")
        return _narrowing(**given)

    whole = signature(_narrowing)
    kept = [one for one in whole.parameters.values() if one.name not in _FILTERS or one.name in fields]
    first = Parameter("request", Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
    read.__signature__ = whole.replace(parameters=[first, *kept])  # type: ignore[attr-defined]  # FastAPI reads it
    return Depends(read)


def _invalid(name: str, why: str) -> RequestValidationError:
    return RequestValidationError(
        [{"type": "value_error", "loc": ("query", name), "msg": why, "input": None}]
    )


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
