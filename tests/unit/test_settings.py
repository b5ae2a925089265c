"""Settings: what a person writes is checked, and a mistake is named with its line and its fix."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from driftguard.cli.levels import Level
from driftguard.cli.root import run
from driftguard.errors import ConfigError
from driftguard.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_example_is_valid_and_says_the_defaults() -> None:
    assert load_settings(str(ROOT / "config.example.yaml"), {}) == Settings()


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("scope:\n  acounts: []\n", 2, "Did you mean `accounts`?"),
        ("aws:\n  connect_timeout_seconds: soon\n", 2, "valid number"),
        ("scope:\n  accounts:\n    - id: '1'\n", 3, "scope.accounts.0.id"),
        ("scope: [\n", 2, "is not YAML"),
        ("scan:\n  fail_on: hihg\n", 2, "Did you mean `high`?"),
        ("scope:\n  regions: us-east-1\n", 2, "input should be a list"),
        ("policies:\n  overrides:\n    - {policy: X, severity: hihg}\n", 3, "Did you mean `HIGH`?"),
        ("remediation:\n  automatic:\n    - {severities: [CRITICL]}\n", 3, "Did you mean `CRITICAL`?"),
        ("notify:\n  routes:\n    - {channels: [a], kinds: [DIRFT]}\n", 3, "Did you mean `DRIFT`?"),
        ("service:\n  schedules:\n    - {id: a, every: 1h, timezone: Asia/Soul}\n", 3, "no time zone"),
        ("- a\n", 1, "map of sections"),
        ("a: &x [1]\nscope: *x\n", None, "anchors are not allowed"),
        ("scope:\n  " + "[" * 60_000, 2, "nested too deeply"),
        ("- " * 60_000, 1, "nested too deeply"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, line: int | None, says: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_settings(written(tmp_path, text), {})
    assert says in str(raised.value)
    if line:
        assert f"config.yaml:{line}" in str(raised.value)


def test_every_setting_has_a_variable(tmp_path: Path) -> None:
    given = {
        "DRIFTGUARD_STORE": "sqlite:///x.db",
        "DRIFTGUARD_AWS__MAX_ATTEMPTS": "3",
        "DRIFTGUARD_SCOPE__REGIONS": "[a]",
    }
    settings = load_settings(written(tmp_path, "aws: {max_attempts: 9}"), given)
    assert (settings.store.url, settings.aws.max_attempts, settings.scope.regions) == (
        "sqlite:///x.db",
        3,
        ("a",),
    )


def test_a_wrong_variable_is_named() -> None:
    with pytest.raises(ConfigError, match="DRIFTGUARD_AWS__MAX_ATTEMPTS"):
        load_settings(None, {"DRIFTGUARD_AWS__MAX_ATTEMPTS": "many"})


def test_init_writes_a_file_that_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init", "-y", "--regions", "ap-northeast-2,us-east-1", "--accounts", "111111111111"]) == 0
    assert load_settings("config.yaml", {}).scope.regions == ("ap-northeast-2", "us-east-1")
    assert run(["init", "-y"]) == 2, "a file that is there is not replaced without being asked"


def test_words_of_a_vocabulary_are_understood_in_any_case(tmp_path: Path) -> None:
    text = "scan: {fail_on: NEVER}\nremediation: {cures: [{cure: REVERT, severities: [high]}]}\n"
    settings = load_settings(written(tmp_path, text), {})
    assert settings.scan.fail_on == "none"
    assert settings.remediation.cures[0].severities == ("HIGH",)


@pytest.mark.parametrize("word", ["none", "never", "NEVER"])
def test_both_words_for_no_level_are_understood_by_scan_and_check(word: str) -> None:
    assert Level("none").convert(word, None, None) == "none"
    assert Level("never").convert(word, None, None) == "never"
    with pytest.raises(click.BadParameter):
        Level("none").convert("nevr", None, None)


def test_init_offers_the_region_of_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert run(["init", "-y"]) == 0
    assert load_settings("config.yaml", {}).scope.regions == ("eu-west-1",)
