"""Machines send whatever the document allows, and much that it does not: no 5xx, and no answer that it does not tell of."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.service_values import House, house

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is a tool of development")
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "15"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> House:
    folder: Path = tmp_path_factory.mktemp("store")
    return house(folder, requests_per_minute=10_000_000, public_url="http://testserver")


def test_the_api_keeps_its_word(home: House) -> None:
    client = home.machine("read", "decide", "plan", "approve", "audit", "admin")
    headers = {"authorization": client.headers["authorization"]}
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", home.app, headers=headers)
    named = schemathesis.specs.openapi.checks
    checks = (
        schemathesis.checks.not_a_server_error,
        named.status_code_conformance,
        named.content_type_conformance,
        named.response_schema_conformance,
        named.response_headers_conformance,
    )
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) > 20
    wrong: list[str] = []
    for operation in operations:
        modes = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
        strategies = [operation.as_strategy(generation_mode=mode) for mode in modes]

        @settings(
            max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
        )
        @given(case=st.one_of(strategies))
        def holds(case: Any) -> None:
            case.call_and_validate(headers=headers, checks=checks)

        try:
            holds()
        except Exception as error:  # all operations are told of, not the first alone
            wrong.append(f"{operation.label}: {error}")
    assert not wrong, "\n\n".join(wrong)
