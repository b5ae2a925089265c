"""What is different between two moments, as it is asked for and printed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from driftguard.cli.root import run
from driftguard.history import open_store
from tests.history_values import report, resource, snapshot


@pytest.fixture(autouse=True)
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder whose store knows two nights: the first, and the second of November 2026, at two o'clock."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRIFTGUARD_STORE", raising=False)
    store = open_store(f"sqlite:///{tmp_path / 'driftguard.db'}")
    for number, rules in enumerate(({"On": True}, {"On": False, "Cidr": {"Ip": "10.0.0.0/8"}})):
        said = report(number)
        store.begin_run(said.run)
        store.record(said, snapshot(number, resource("archive", {"BucketName": "archive", **rules})))
    store.close()


def test_a_day_begins_at_from_and_ends_at_to(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", "--from", "2026-11-02", "--to", "2026-11-02"]) == 0
    told = capsys.readouterr()
    lines = [line.strip() for line in told.out.splitlines()]
    assert lines[0].endswith("us-east-1/AWS::S3::Bucket/archive")
    assert lines[1].startswith("/Cidr: (absent) -> ") and "10.0.0.0/8" in lines[1] and "{'" not in lines[1]
    assert lines[2] == "/On: true -> false"
    assert told.err == ""


def test_what_was_before_the_first_scan_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", "--from", "2026-10-01"]) == 0
    assert "The first run began 2026-11-01 02:00 UTC" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--from", "2026-11-03", "--to", "2026-11-02"), "--from (2026-11-03 00:00 UTC) is later than --to"),
        (("--from", f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}"), "is later than --to"),
        (("--from", ""), "--from names no moment"),
        (("--from", "2026-11-01", "--account", "111111111112"), "no account 111111111112"),
    ],
)
def test_times_between_which_nothing_can_be_different(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    assert run(["diff", *words]) == 2
    told = capsys.readouterr()
    assert says in told.err and told.out == ""
