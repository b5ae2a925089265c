"""Every equality rule folds what it is for, and still sees what it is not for.

The cases are data: ``tests/cases/compare/RULE.yaml`` with ``suppress`` (the rule folds the path, nothing differs),
``unverifiable`` (the path is not checked) and ``detect`` (a difference at or below the path).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from driftguard.compare import CompareContext, Comparison, compare
from driftguard.compare.equalities import RULES
from driftguard.schema import registry

CASES = Path(__file__).parents[2] / "cases" / "compare"
STRUCTURE = {
    "multiset",
    "ordered-list",
    "policy-document",
    "log-delivery-statement",
    "json-text",
    "yaml-text",
    "comma-list",
    "key-case",
    "key-alias",
    "aws-tags",
    "stack-tags",
    "service-tags",
    "declared-empty",
    "declared-false",
    "documented-default",
    "duplicate-member",
    "empty-member",
    "implied-member",
    "plural-name",
    "base64-twin",
}


def load(which: str) -> list[Any]:
    found = []
    for file in sorted(CASES.glob("*.yaml")):
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        for number, case in enumerate(content.get(which, ())):
            found.append(pytest.param(content["rule"], case, id=f"{file.stem}-{number}"))
    return found


def run(case: dict[str, Any]) -> Comparison:
    context = CompareContext(**case.get("context", {}))
    schema = registry().get(case["type"])
    assert schema is not None, case["type"]
    return compare(case["declared"], case["live"], schema, context)


@pytest.mark.parametrize(("rule", "case"), load("suppress"))
def test_a_form_that_means_the_same_is_no_drift(rule: str, case: dict[str, Any]) -> None:
    found = run(case)
    assert found.differences == ()
    assert any(fold.rule == rule and fold.path.startswith(case["path"]) for fold in found.folded), found


@pytest.mark.parametrize(("rule", "case"), load("unverifiable"))
def test_what_nobody_can_tell_is_said_to_be_not_checked(rule: str, case: dict[str, Any]) -> None:
    found = run(case)
    assert found.differences == ()
    assert [gap.path for gap in found.not_checked] == [case["path"]], rule


@pytest.mark.parametrize(("rule", "case"), load("detect"))
def test_another_value_is_still_drift(rule: str, case: dict[str, Any]) -> None:
    found = run(case)
    assert found.differences, found
    assert all(one.path.startswith(case["path"]) for one in found.differences)


def test_every_rule_has_cases_for_both() -> None:
    files = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in CASES.glob("*.yaml")}
    rules = {name for name, _ in RULES} | STRUCTURE
    assert set(files) == rules
    for name, content in files.items():
        assert content["rule"] == name
        assert content["detect"], name
        assert content.get("suppress") or content.get("unverifiable") or name == "ordered-list", name
