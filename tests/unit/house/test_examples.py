"""The examples are what they say: each loads, and each command in them can be typed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from driftguard.rules.selftest import run_cases
from driftguard.rules.shipped import load_all
from driftguard.rules.waivers import load_waivers
from driftguard.settings import load_settings
from tests.unit.house.test_advised_commands import fault

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_the_organization_is_a_valid_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES.parent)
    settings = load_settings(str(EXAMPLES / "organization.yaml"), {})
    assert settings.scope.organization.enabled and settings.service.schedules[0].timezone == "Asia/Seoul"
    for name in (*settings.policies.folders, *settings.policies.waivers):
        assert Path(name).exists(), name


def test_the_policy_passes_its_own_cases() -> None:
    catalogue = load_all([str(EXAMPLES / "policies")])
    assert catalogue.errors == ()
    policy = catalogue.get("EXAMPLE_TEAM_TAG")
    assert policy is not None
    results = list(run_cases(policy))
    assert len(results) == 3 and all(result.passed for result in results)


def test_the_waivers_load() -> None:
    waivers, errors = load_waivers([EXAMPLES / "waivers.yaml"])
    assert [one.id for one in waivers] == ["W-2026-014"] and not errors


def test_the_commands_of_the_pipeline_can_be_typed() -> None:
    phases = yaml.safe_load((EXAMPLES / "pipeline" / "buildspec.yml").read_text(encoding="utf-8"))["phases"]
    typed = [
        command.split()[1:]
        for phase in phases.values()
        for command in phase["commands"]
        if command.startswith("driftguard ")
    ]
    assert typed and [fault(words) for words in typed] == [""] * len(typed)
