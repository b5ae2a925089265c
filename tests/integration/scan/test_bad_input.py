"""What a person got wrong is one clear sentence that says what to do, exit 2, and nothing half done."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest

from driftguard.sandbox import Sandbox
from tests.scanning import run, small_stack, variables


def refused(folder: Path, environment: Mapping[str, str], *arguments: str, says: str, advises: str) -> None:
    code, out, err = run(folder, environment, *arguments)
    assert (code, out) == (2, ""), err
    # Progress is told on stderr too; the one sentence comes last.
    line, *others = [line for line in err.splitlines() if not line.startswith("[")]
    assert line.startswith("driftguard: ") and line[-1] in ".?" and not others, err
    assert says in line and advises in line, line
    for file in folder.glob("*.db"):
        with sqlite3.connect(file) as connection:
            left = connection.execute("SELECT status FROM runs WHERE status = 'RUNNING'").fetchall()
        assert left == []
    assert not list(folder.glob("*.html"))


def test_a_wrong_field_in_the_config_file(sandbox_http: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("aws:\n  role_nam: reader\n", encoding="utf-8")
    given = variables(sandbox_http)
    refused(
        tmp_path, given, "--config", "c.yaml", "scan", says="c.yaml:2", advises="Did you mean `role_name`"
    )
    assert {path.name for path in tmp_path.iterdir()} == {"c.yaml"}


def test_a_region_that_does_not_exist(sandbox_http: Sandbox, tmp_path: Path) -> None:
    given = {**variables(sandbox_http), "AWS_REGION": "ap-northeast-9"}
    refused(tmp_path, given, "scan", says="no region ap-northeast-9", advises="Did you mean `ap-northeast-")


def test_credentials_that_are_missing(sandbox_http: Sandbox, tmp_path: Path) -> None:
    given = variables(sandbox_http)
    del given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"]
    given["AWS_EC2_METADATA_DISABLED"] = "true"
    refused(tmp_path, given, "scan", says="no AWS credentials", advises="Set AWS_PROFILE")


def test_credentials_that_have_expired(sandbox_http: Sandbox, tmp_path: Path) -> None:
    sandbox_http.faults.add("expired")
    refused(tmp_path, variables(sandbox_http), "scan", says="expired", advises="Sign in again")


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("cloudformation", "DescribeStacks"),
        ("cloudformation", "GetTemplate"),
        ("config", "SelectResourceConfig"),
        ("cloudcontrol", "GetResource"),
    ],
)
def test_credentials_that_expire_in_the_middle(
    sandbox_http: Sandbox, tmp_path: Path, service: str, operation: str
) -> None:
    small_stack(sandbox_http)
    sandbox_http.faults.add("expired", service=service, operation=operation)
    refused(tmp_path, variables(sandbox_http), "scan", says="expired", advises="Sign in again")


def test_an_endpoint_that_does_not_answer(sandbox_http: Sandbox, tmp_path: Path) -> None:
    given = {**variables(sandbox_http), "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    refused(tmp_path, given, "scan", says="http://127.0.0.1:9/ does not answer", advises="AWS_ENDPOINT_URL")


@pytest.mark.parametrize(
    ("place", "advises"),
    [
        ("file/d.db", "Set `store.key_file`"),
        ("folder", "Name a file in it"),
        ("garbage.sqlite", "Name another file in `store.url`"),
    ],
)
def test_a_store_that_is_not_writable(
    sandbox_http: Sandbox, tmp_path: Path, place: str, advises: str
) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "garbage.sqlite").write_text("no database " * 400, encoding="utf-8")
    given = {**variables(sandbox_http), "DRIFTGUARD_STORE": f"sqlite:///{place}"}
    refused(tmp_path, given, "scan", says=place.partition("/")[0], advises=advises)
    assert (tmp_path / "garbage.sqlite").read_text(encoding="utf-8") == "no database " * 400
