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


@pytest.mark.parametrize(
    ("arguments", "says", "advises"),
    [
        ("--account 999999999999", "no account 999999999999 in scope", "In scope: 111111111111"),
        ("--account 111111111112", "no account 111111111112 in scope", "Did you mean `111111111111`?"),
        ("--region eu-west-9", "no region eu-west-9", "Did you mean `eu-west-"),
        ("--stack smal", "no stack smal in scope", "Did you mean `small`?"),
        ("--stack small --stack nosuch*", "no stack nosuch* in scope", "In scope: small"),
        ("--type AWS::S3::Bukcet", "no resource type AWS::S3::Bukcet", "Did you mean `AWS::S3::Bucket`?"),
        ("--html /etc/passwd/x.html", "/etc/passwd is no folder", "Name another file"),
        ("--config c.yaml --region eu-west-1", "no region eu-west-1 in scope", "In scope: ap-northeast-2"),
        ("--config gone.yaml", "no stack gone in scope", "In scope: small"),
        ("--config level.yaml", "level.yaml:1: `scan.fail_on`", "Did you mean `high`?"),
    ],
)
def test_a_scope_in_which_there_is_nothing(
    sandbox_http: Sandbox, tmp_path: Path, arguments: str, says: str, advises: str
) -> None:
    """It must not read as "everything in scope was looked at", and no run must be the newest for it."""
    small_stack(sandbox_http)
    (tmp_path / "c.yaml").write_text("scope: {regions: [ap-northeast-2]}", encoding="utf-8")
    (tmp_path / "gone.yaml").write_text("scope: {stacks: [gone]}", encoding="utf-8")
    (tmp_path / "level.yaml").write_text("scan: {fail_on: hihg}", encoding="utf-8")
    words = arguments.split()
    first = words[:2] if words[0] == "--config" else []
    given = variables(sandbox_http)
    refused(tmp_path, given, *first, "scan", *words[len(first) :], "--strict", says=says, advises=advises)
    assert not list(tmp_path.glob("*.db")) or run(tmp_path, given, "report")[0] == 2


def test_a_scope_of_some_things_that_are_there_is_looked_at(sandbox_http: Sandbox, tmp_path: Path) -> None:
    """The settings' stacks may be gone one by one; where stacks cannot be listed their names are no mistake."""
    small_stack(sandbox_http)
    given = variables(sandbox_http)
    (tmp_path / "some.yaml").write_text("scope: {stacks: [gone, small]}", encoding="utf-8")
    words = ["--account", sandbox_http.accounts[0], "--region", "ap-northeast-2", "--type", "AWS::S*::*"]
    code, _, err = run(tmp_path, given, "--config", "some.yaml", "scan", "--fail-on", "none", *words)
    assert code == 0, err
    sandbox_http.faults.add("deny", service="cloudformation")
    code, _, err = run(tmp_path, given, "scan", "--stack", "nosuch", "--fail-on", "none", "--strict")
    assert code == 3, err
