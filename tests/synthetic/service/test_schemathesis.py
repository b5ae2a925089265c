"""Machines send whatever the document allows, and much that it does not: no 5xx, no answer that it does not tell of."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.service_values import house

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is a tool of development")


@cache
def _caller() -> tuple[object, dict[str, str]]:
    home = house(Path(tempfile.mkdtemp()), requests_per_minute=10_000_000)
    client = home.machine("read", "decide", "plan", "approve", "audit", "admin")
    return home.app, dict(client.headers)


@pytest.fixture
def api() -> object:
    app, headers = _caller()
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, base_url="http://127.0.0.1:8420", headers=headers)


schema = schemathesis.pytest.from_fixture("api")


@schema.parametrize()
@settings(
    max_examples=int(os.environ.get("DRIFTGUARD_EXAMPLES", "15")),
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_the_api_keeps_its_word(case: object) -> None:
    _, headers = _caller()
    checks = (
        schemathesis.checks.not_a_server_error,
        schemathesis.specs.openapi.checks.status_code_conformance,
        schemathesis.specs.openapi.checks.content_type_conformance,
        schemathesis.specs.openapi.checks.response_schema_conformance,
        schemathesis.specs.openapi.checks.response_headers_conformance,
    )
    case.call_and_validate(headers=headers, checks=checks)
