"""Structured logs: one line of JSON for each request and event, with the ids that join them."""

from __future__ import annotations

import logging
import re
import sys
import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.types import Processor

from driftguard.service.metrics import REQUEST_SECONDS, REQUESTS

API = "/api/v1"
log = structlog.get_logger("driftguard.service")
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


def configure(verbose: int = 0, redact: Processor | None = None) -> None:
    """Write logs as JSON lines to stderr, those of the rest of the house too.  Property values are never among them.

    ``redact`` takes the secrets out of each event: what AWS answers to a wrong call may hold one.
    """
    level = logging.DEBUG if verbose > 1 else logging.INFO
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    discreet = [redact] if redact is not None else []
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *discreet,
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    house = logging.getLogger("driftguard")
    house.handlers, house.propagate = [handler], False
    house.setLevel(level)
    structlog.configure(
        processors=[*shared, *discreet, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )


class Requests:
    """ASGI middleware: gives each request an id, times it and logs it without its query."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        started, status = time.perf_counter(), 500

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id):
            try:
                await self.app(scope, receive, answered)
            finally:
                self._note(scope, status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = route_of(scope) or "other"
        REQUESTS.labels(scope["method"], route, str(status)).inc()
        REQUEST_SECONDS.labels(route).observe(seconds)
        if scope["path"] not in _QUIET and not scope["path"].startswith("/static/"):
            principal = scope.get("state", {}).get("principal")
            log.info(
                "request",
                method=scope["method"],
                route=route,
                status=status,
                milliseconds=round(1000 * seconds, 1),
                who=getattr(principal, "name", None),
            )


def route_of(scope: Scope) -> str:
    """The template of the address that was answered (``/api/v1/findings/{fingerprint}``); empty: none was found."""
    path: str = getattr(scope.get("route"), "path", "")
    # A route knows its path within its router, not the prefix under which the router was included.
    return API + path if path and scope["path"].startswith(f"{API}/") and not path.startswith(API) else path
