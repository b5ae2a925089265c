"""Every function of a template, as cases: adding one needs no Python (tests/cases/declared/resolve)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from driftguard.cli.commands.resolve import answer_of
from driftguard.declared.context import ResolveContext
from driftguard.declared.resolve import resolve
from driftguard.declared.template import load_template
from driftguard.errors import TemplateError

CASES = Path(__file__).parents[2] / "cases" / "declared"


def _cases(*names: str) -> list[Any]:
    files = sorted((CASES / "resolve").glob("*.yaml")) if not names else [CASES / name for name in names]
    return [
        pytest.param(case, id=case["name"])
        for file in files
        for case in yaml.safe_load(file.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("case", _cases())
def test_a_template_resolves_as_the_case_says(case: dict[str, Any]) -> None:
    given = dict(case.get("context") or {})
    given["availability_zones"] = {k: tuple(v) for k, v in given.get("availability_zones", {}).items()}
    resolved = resolve(load_template(case["template"], file="t.yaml"), ResolveContext(**given))
    answer = answer_of(resolved)
    assert {name: item["Properties"] for name, item in answer["resources"].items()} == case["expect"]
    assert answer["absent"] == case.get("absent", [])
    if "outputs" in case:
        assert resolved.outputs == case["outputs"]
    if "unknown" in case:
        assert {item["path"]: [item["reason"], item["line"]] for item in answer["unknown"]} == case["unknown"]


@pytest.mark.parametrize("case", _cases("broken.yaml"))
def test_a_broken_template_says_file_line_and_reason(case: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(case["text"], encoding="utf-8")
    with pytest.raises(TemplateError) as caught:
        resolve(load_template(file))
    assert case["says"] in caught.value.message
    assert caught.value.where is not None
    assert (caught.value.where.file, caught.value.where.line) == (str(file), case["line"])
