"""What a person typed is held against what there is: a slip of the finger never reads as "nothing is wrong"."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from driftguard.cli.root import run
from driftguard.history import open_store
from tests.history_values import full_report, resource, snapshot


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without a store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRIFTGUARD_STORE", raising=False)
    return tmp_path


@pytest.fixture
def known(empty: Path) -> Iterator[Path]:
    """A folder whose store knows one night."""
    store = open_store(f"sqlite:///{empty / 'driftguard.db'}")
    report = full_report()
    store.begin_run(report.run)
    store.record(report, snapshot(0, resource("archive"), resource("plain")))
    store.close()
    yield empty


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("findings --severity foo", "there is no severity FOO. Known here: CRITICAL, HIGH"),
        ("findings --kind dirft", "there is no kind DIRFT. Did you mean `DRIFT`?"),
        ("findings --status opne", "there is no status OPNE. Did you mean `OPEN`?"),
        ("findings --type s3", "there is no resource type s3. Write it as AWS::S3::Bucket"),
        ("findings --policy nosuch", "there is no policy nosuch. `driftguard policies list`"),
        ("findings --stack Shop", "there is no stack Shop. Did you mean `shop`?"),
        ("drift --status modifed", "there is no status MODIFED. Did you mean `MODIFIED`?"),
        ("drift --status NEW", "there is no status NEW."),
        ("drift --account 111111111112", "no account 111111111112. Did you mean `111111111111`?"),
        ("drift --region us-esat-1", "no region us-esat-1. Did you mean `us-east-1`?"),
        ("compliance --type AWS::S3::Bukcet", "AWS::S3::Bukcet. Did you mean `AWS::S3::Bucket`?"),
        ("compliance --type AWS::S4::*", "no resource type AWS::S4::*"),
        ("compliance --policy s3-nosuch", "there is no policy s3-nosuch."),
        ("compliance --policy INCOMING_SSH_DISABLD", "Did you mean `INCOMING_SSH_DISABLED`?"),
        ("compliance --status OPEN", "there is no status OPEN. Known here: COMPLIANT"),
        ("resources --type aws::s3::bucket", "Did you mean `AWS::S3::Bucket`?"),
        ("stacks --status UPDATE_COMPLET", "Did you mean `UPDATE_COMPLETE`?"),
        ("remediate plan --severity hihg", "there is no severity HIHG. Did you mean `HIGH`?"),
        ("remediate plan --policy nosuch", "there is no policy nosuch."),
        ("remediate plan --type AWS::S3::Bukcet", "Did you mean `AWS::S3::Bucket`?"),
        ("report --framework K-ISMSS", "Did you mean `K-ISMS`?"),
        ("report --framework PCI-DSS-4.0", "nothing was judged by PCI-DSS-4.0 in this run."),
        ("report --run nosuch", "there is no run nosuch."),
        ("compliance --framework K-ISMSS", "Did you mean `K-ISMS`?"),
        ("attest K-ISMSS 1.1.1 --statement done", "Did you mean `K-ISMS`?"),
        ("policies list --framework K-ISMSS", "Did you mean `K-ISMS`?"),
        ("policies list --type AWS::S3::Bukcet", "Did you mean `AWS::S3::Bucket`?"),
        ("drift --severity HIGH", "No such option"),
        ("resources --severity HIGH", "No such option"),
        ("resources --status OPEN", "No such option"),
        ("stacks --type AWS::S3::Bucket", "No such option"),
    ],
)
def test_a_word_that_there_is_not_is_an_error_that_names_the_nearest(
    known: Path, capsys: pytest.CaptureFixture[str], line: str, says: str
) -> None:
    assert run(line.split()) == 2
    told = capsys.readouterr()
    assert says in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    "line",
    [
        "findings --severity high --kind drift --status open",
        "findings --account 1111* --region us-* --type AWS::S3::* --stack sh*",
        "findings --type AWS::S3::Bucket --stack shop",
        "drift --status drifted",
        "drift --status MOD*",
        "compliance --policy VERSION* --severity MEDIUM",
        "compliance --policy VERSIONING --status non_compliant",
    ],
)
def test_words_that_there_are_find_what_they_mean(
    known: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    assert run(line.split()) == 1
    assert "archive" in capsys.readouterr().out.lower()


def test_an_account_of_the_scope_in_which_nothing_was_found_is_no_mistake(
    known: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (known / "config.yaml").write_text("scope: {accounts: [{id: '333333333333'}]}", encoding="utf-8")
    assert run(["findings", "--account", "333333333333"]) == 0
    assert run(["findings", "--account", "222222222222"]) == 0, "it is known as a gap"
    assert capsys.readouterr().err == ""


def test_a_policy_that_is_known_but_not_judged_is_not_met_by_silence(
    known: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (known / "config.yaml").write_text("policies: {exclude: [INCOMING_SSH_DISABLED]}", encoding="utf-8")
    assert run(["compliance", "--policy", "INCOMING_SSH_DISABLED"]) == 2
    assert "nothing is judged by the policy INCOMING_SSH_DISABLED" in capsys.readouterr().err


READERS = [
    "accept x --reason right",
    "baseline record x --owner me --reason right --out b.yaml",
    "compliance",
    "compliance --framework K-ISMS",
    "diff --from 2026-01-01",
    "drift",
    "drift --output json",
    "explain x",
    "findings",
    "history --runs",
    "remediate plan",
    "remediate status",
    "report",
    "resources",
    "show x",
    "snapshot export",
    "stacks",
    "waivers",
]


@pytest.mark.parametrize("line", READERS)
def test_a_store_is_not_made_by_reading(empty: Path, capsys: pytest.CaptureFixture[str], line: str) -> None:
    assert run(line.split()) == 2
    told = capsys.readouterr()
    assert "there is no run yet" in told.err and "`driftguard scan`" in told.err
    assert told.out == ""
    assert list(empty.iterdir()) == []


@pytest.mark.parametrize("line", ["drift", "findings", "compliance", "compliance --framework K-ISMS"])
def test_a_gate_does_not_open_before_anything_was_looked_at(
    empty: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    open_store(f"sqlite:///{empty / 'driftguard.db'}").close()
    assert run(line.split()) == 2
    assert "there is no run yet. `driftguard scan` makes one." in capsys.readouterr().err


@pytest.mark.parametrize("line", ["drift", "findings", "compliance"])
def test_a_moment_before_the_first_scan_has_no_verdict(
    known: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    assert run([line, "--at", "2025-11-30"]) == 2
    told = capsys.readouterr().err
    assert "nothing had been looked at by 2025-11-30 23:59 UTC" in told
    assert "The first run began 2026-11-01 02:00 UTC" in told
    assert run([line, "--at", "2026-11-30"]) == 1
