"""OpenTelemetry: a span for each request, where the extra is installed and an endpoint is set.

Trace ids begin with their second, as X-Ray's do, and the header of a load balancer is understood beside W3C's:
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids
https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from driftguard.service.logs import route_of

log = structlog.get_logger(__name__)
_XRAY = re.compile(r"Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:;.*)?")
_PARENT = re.compile(r"(?:^|;)\s*Parent=([0-9a-f]{16})")


def install(app: FastAPI) -> Callable[[], None] | None:
    """Send spans to ``OTEL_EXPORTER_OTLP_ENDPOINT``; answers what sends the last of them, None without tracing."""
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
    except ImportError as error:
        log.warning("no traces: the extra `otel` is not installed", missing=error.name)
        return None

    class Ids(RandomIdGenerator):
        def generate_trace_id(self) -> int:
            return int(time.time()) << 96 | secrets.randbits(96)

    provider = TracerProvider(resource=Resource.create({"service.name": "driftguard"}), id_generator=Ids())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    app.add_middleware(Spans, tracer=provider.get_tracer("driftguard.service"))
    return provider.shutdown


def carrier(headers: Mapping[str, str]) -> Mapping[str, str]:
    """``headers`` with a W3C traceparent, made from X-Ray's header where there is only that one."""
    xray = headers.get("x-amzn-trace-id", "")
    root, parent = _XRAY.match(xray), _PARENT.search(xray)
    if "traceparent" in headers or root is None or parent is None:
        return headers
    sampled = "00" if "Sampled=0" in xray else "01"
    return {**headers, "traceparent": f"00-{root[1]}{root[2]}-{parent[1]}-{sampled}"}


class Spans:
    """ASGI middleware: one server span for each request, named by its route and never by its query."""

    def __init__(self, app: ASGIApp, tracer: Any) -> None:
        self.app, self.tracer = app, tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind

        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        with self.tracer.start_as_current_span(
            scope["method"], context=extract(carrier(headers)), kind=SpanKind.SERVER
        ) as span:

            async def answered(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            await self.app(scope, receive, answered)
            span.set_attribute("http.request.method", scope["method"])
            route = route_of(scope)
            if route:
                span.update_name(f"{scope['method']} {route}")
                span.set_attribute("http.route", route)
