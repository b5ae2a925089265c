"""Errors as answers: RFC 9457 problem documents for machines, a page for people."""

from __future__ import annotations

import math

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from driftguard.errors import DriftguardError, InputError, RefusedError, StoreError

log = structlog.get_logger("driftguard.service")
_TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    411: "Length required",
    413: "Too large",
    422: "Cannot be processed",
    429: "Too many requests",
    500: "Our fault",
    501: "Not there",
    503: "Not available",
}


class NotFoundError(DriftguardError):
    """There is no such thing, or the caller may not know of it."""


class ForbiddenError(DriftguardError):
    """The caller lacks a permission."""


def problem(status: int, detail: str, fix: str = "", *, retry_after: float = 0, path: str = "") -> ASGIApp:
    """An answer for an error, in the form that the caller reads."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        response = _response(Request(scope), status, detail, fix, retry_after)
        if status == 401 and path and not path.startswith("/api/") and scope["method"] == "GET":
            response = RedirectResponse("/sign-in", status_code=303)
        await response(scope, receive, send)

    return answer


def install(app: FastAPI) -> None:
    """Turn every exception into a problem."""

    @app.exception_handler(DriftguardError)
    def known(request: Request, error: DriftguardError) -> Response:
        return _response(request, _status(error), *told(error))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"][1:]) or str(first["loc"][0])
        return _response(request, 422, f"`{place[:100]}`: {first['msg']}.")

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        detail = "There is nothing here." if error.status_code == 404 else str(error.detail)
        response = _response(request, error.status_code, detail)
        response.headers.update(error.headers or {})
        return response


def told(error: DriftguardError) -> tuple[str, str]:
    """What a caller hears of an error, and what to do about it.  Of the store nobody hears where it is: the log says
    that."""
    if not isinstance(error, StoreError):
        return error.message, error.fix
    log.error("the store refused", error=str(error))
    return "the store does not answer as it should.", "The log of the service says more."


def _status(error: DriftguardError) -> int:
    by_class: tuple[tuple[type[DriftguardError], int], ...] = (
        (NotFoundError, 404),
        (ForbiddenError, 403),
        (InputError, 400),
        (RefusedError, 409),
        (StoreError, 503),
    )
    return next((status for kind, status in by_class if isinstance(error, kind)), 502)


def _response(request: Request, status: int, detail: str, fix: str = "", retry_after: float = 0) -> Response:
    title = _TITLES.get(status, "Error")
    headers = {"retry-after": str(math.ceil(retry_after))} if retry_after else {}
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="driftguard"'
    if "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/"):
        from driftguard.service.web.pages import error_page

        return error_page(request, status, detail, fix, headers)
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if fix:
        body["fix"] = fix
    return Response(orjson.dumps(body, default=str), status, headers, media_type="application/problem+json")
