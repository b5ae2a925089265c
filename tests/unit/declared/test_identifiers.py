"""Physical id to Cloud Control identifier, by cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from driftguard.declared.identifiers import cloud_control_identifier
from driftguard.schema.registry import registry

CASES = Path(__file__).parents[2] / "cases" / "declared" / "identifiers.yaml"


@pytest.mark.parametrize(
    "case", yaml.safe_load(CASES.read_text()), ids=lambda case: f"{case['type']} {case['physical']}"
)
def test_the_identifier_is_cloud_controls(case: dict[str, Any]) -> None:
    found = cloud_control_identifier(
        registry().get(case["type"]),
        case["physical"],
        case.get("properties", {}),
        account="123456789012",
        region="eu-west-1",
    )
    assert found == case["is"]
