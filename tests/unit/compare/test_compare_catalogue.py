"""The forms in which services answer what was declared: no alarm for them, and an alarm for what only looks alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from driftguard.compare import CompareContext, compare
from driftguard.schema import registry

FILE = Path(__file__).parents[2] / "cases" / "compare_catalogue" / "services.yaml"
KEY = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CONTEXT = CompareContext(
    account_id="111111111111",
    region="us-east-1",
    kms_aliases={"alias/k": KEY},
    stack_tags={"env": "p"},
    stack_name="st",
    logical_id="Res",
)


def cases() -> list[Any]:
    rows = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return [pytest.param(row, id=f"{number}-{row['type']}") for number, row in enumerate(rows)]


@pytest.mark.parametrize("case", cases())
def test_a_service_may_answer_in_its_own_form(case: dict[str, Any]) -> None:
    schema = registry().get(case["type"])
    assert schema is not None
    found = compare(case["declared"], case["live"], schema, CONTEXT)
    assert (found.status.value, bool(found.differences)) == (case["status"], case["status"] == "MODIFIED")
