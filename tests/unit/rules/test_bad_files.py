"""A wrong policy file is one line with file, line and fix, and the others still load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from driftguard.rules import load_catalogue

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases/rules/bad_files.yaml").read_text(encoding="utf-8"))
GOOD = """\
id: GOOD
title: A good policy
severity: LOW
resource_types: [AWS::S3::Bucket]
assert: present(BucketName)
message: The bucket has no name.
source: https://example.com
cases: [{name: named, expect: COMPLIANT, properties: {BucketName: a}}, {name: not, expect: NON_COMPLIANT}]
"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_error_names_the_line_and_the_fix(case: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(case["text"], encoding="utf-8")
    (tmp_path / "good.yaml").write_text(GOOD, encoding="utf-8")
    catalogue = load_catalogue([tmp_path])
    assert [policy.id for policy in catalogue.policies] == ["GOOD"]
    (error,) = catalogue.errors
    said = str(error)
    assert said.startswith(f"{tmp_path / 'bad.yaml'}:{case['line']}")
    assert "\n" not in said
    for words in case["says"]:
        assert words in said


def test_a_second_policy_of_the_same_name_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(GOOD.replace("id: GOOD", "id: OTHER\naliases: [GOOD]"), encoding="utf-8")
    catalogue = load_catalogue([tmp_path])
    assert len(catalogue.policies) == 1
    assert "the name GOOD is taken" in str(catalogue.errors[0])
    assert "b.yaml:1" in str(catalogue.errors[0])


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000,
        "a: " + "{b: " * 30_000,
        "x" * 2_000_000,
        "\x00\x01",
        "a: !!python/object/apply:os.system [ls]",
    ],
    ids=["deep list", "deep map", "large", "binary", "python tag"],
)
def test_hostile_files_are_errors(text: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "good.yaml").write_text(GOOD, encoding="utf-8")
    catalogue = load_catalogue([tmp_path])
    assert len(catalogue.errors) == 1
    assert [policy.id for policy in catalogue.policies] == ["GOOD"]


@pytest.mark.parametrize(
    "expression",
    ["(" * 500 + "BucketName" + ")" * 500, "!" * 3000 + "BucketName", " && ".join(["BucketName"] * 3000)],
    ids=["parentheses", "negations", "long"],
)
def test_an_expression_that_is_too_deep_or_long_is_an_error_or_works(expression: str, tmp_path: Path) -> None:
    text = GOOD.replace("present(BucketName)", f'"{expression}"')
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    catalogue = load_catalogue([tmp_path])
    assert len(catalogue.errors) + len(catalogue.policies) == 1


def test_code_in_an_expression_stays_text(tmp_path: Path) -> None:
    hostile = "BucketName == 'x\\') or __import__(\\'os\\').system(\\'true\\') or (\\''"
    (tmp_path / "a.yaml").write_text(GOOD.replace("present(BucketName)", f'"{hostile}"'), encoding="utf-8")
    catalogue = load_catalogue([tmp_path])
    assert len(catalogue.errors) + len(catalogue.policies) == 1
