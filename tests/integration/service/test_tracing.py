"""Spans reach an OpenTelemetry collector over real HTTP, with ids that X-Ray takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from driftguard.service.tracing import carrier, install
from tests.service_values import house

TRACE, PARENT = "5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8"


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, bytes]]]:
    """(path, body) of what a collector was sent."""
    posts: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            posts.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    yield posts
    server.shutdown()
    server.server_close()


def test_each_request_is_a_span(tmp_path: Path, collected: list[tuple[str, bytes]]) -> None:
    trace_service = pytest.importorskip(
        "opentelemetry.proto.collector.trace.v1.trace_service_pb2", reason="the extra `otel` is not installed"
    )
    home = house(tmp_path)
    send_the_last = install(home.app)
    assert send_the_last is not None
    client = home.machine("read")
    client.get(f"/api/v1/findings/{home.finding().fingerprint}?q=secret-word")
    client.get(
        "/healthz", headers={"x-amzn-trace-id": f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={PARENT};Sampled=1"}
    )
    send_the_last()
    assert {path for path, _ in collected} == {"/v1/traces"}
    spans: dict[str, Any] = {}
    for _, body in collected:
        sent = trace_service.ExportTraceServiceRequest.FromString(body)
        for resource in sent.resource_spans:
            names = {one.key: one.value.string_value for one in resource.resource.attributes}
            assert names["service.name"] == "driftguard"
            spans |= {span.name: span for scope in resource.scope_spans for span in scope.spans}
    assert set(spans) == {"GET /api/v1/findings/{fingerprint}", "GET /healthz"}
    own, joined = spans["GET /api/v1/findings/{fingerprint}"], spans["GET /healthz"]
    codes = {one.key: one.value.int_value for one in own.attributes}
    assert codes["http.response.status_code"] == 200
    # X-Ray refuses a trace whose first eight digits are not a time of the last month.
    assert abs(int(own.trace_id.hex()[:8], 16) - time.time()) < 600
    assert (joined.trace_id.hex(), joined.parent_span_id.hex()) == (TRACE, PARENT)
    assert not [
        body for _, body in collected if b"secret-word" in body or home.finding().fingerprint.encode() in body
    ]


def test_nothing_is_sent_where_nobody_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert install(house(tmp_path).app) is None


@pytest.mark.parametrize("header", ["", "Root=1-zz", "Root=1-5759e988-bd862e3fe1be46a994272793", "Self=1"])
def test_a_header_that_names_no_parent_is_left_alone(header: str) -> None:
    assert carrier({"x-amzn-trace-id": header}) == {"x-amzn-trace-id": header}
