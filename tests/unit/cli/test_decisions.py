"""What is accepted, by whom, why and until when: each answer is checked, and a finding is named by its first digits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from driftguard.cli.root import run
from driftguard.history import open_store
from tests.history_values import finding, report, resource, snapshot

WHY = ("--owner", "team", "--reason", "holds logs")


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder whose store knows one open finding; its fingerprint."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRIFTGUARD_STORE", raising=False)
    store = open_store(f"sqlite:///{tmp_path / 'driftguard.db'}")
    said = report(findings=(finding("archive"),))
    store.begin_run(said.run)
    store.record(said, snapshot(0, resource("archive")))
    store.close()
    return finding("archive").fingerprint


@pytest.mark.parametrize("digits", [8, 12, 32])
def test_a_finding_is_waived_by_what_the_list_prints_and_only_once(
    known: str, capsys: pytest.CaptureFixture[str], digits: int
) -> None:
    assert run(["waive", known[:digits], *WHY]) == 0
    waiver = capsys.readouterr().out.partition(":")[0]
    assert run(["waive", known[:digits], *WHY]) == 2
    told = capsys.readouterr().err
    assert f"{known[:12]} is accepted already, until" in told and f"by the waiver {waiver}." in told
    assert run(["waivers", "--remove", waiver]) == 0
    assert run(["waive", known, *WHY]) == 0


def test_a_finding_that_there_is_not_points_to_the_list(
    known: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["waive", "0" * 12, *WHY]) == 2
    assert "there is no finding 000000000000. `driftguard findings` lists them" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--owner", " ", "--reason", "holds logs"), "an owner is needed."),
        (("--owner", "me", "--reason", "x"), "a reason has 3 characters at least."),
        (("--owner", "me", "--reason", " "), "a reason is needed."),
        ((*WHY, "--expires", ""), "'' is no expiry. Write days as 90d, or a date as 2027-01-31."),
        ((*WHY, "--expires", "30"), "'30' is no expiry. Write days as 90d"),
        ((*WHY, "--expires", "99999d"), "the expiry 99999d is more than a year away."),
        ((*WHY, "--expires", "0d"), "the expiry 0d is not in the future. Write days as 90d"),
        ((*WHY, "--expires", "2020-01-01"), "the expiry 2020-01-01 is not in the future."),
    ],
)
def test_an_answer_that_says_nothing_is_asked_back(
    known: str, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], says: str
) -> None:
    assert run(["waive", known, *more]) == 2
    told = capsys.readouterr().err
    assert says in told and "bug" not in told


@pytest.mark.parametrize(
    ("narrowed", "says"),
    [
        (("--policy", "INCOMING_SSH_DISABLD"), "Did you mean `INCOMING_SSH_DISABLED`?"),
        (("--type", "AWS::S3::Bukcet"), "Did you mean `AWS::S3::Bucket`?"),
        (("--tag", "team"), "'team' is no tag. Write it as KEY=VALUE."),
    ],
)
def test_a_waiver_of_what_there_is_not_is_refused(
    known: str, capsys: pytest.CaptureFixture[str], narrowed: tuple[str, ...], says: str
) -> None:
    assert run(["waive", *narrowed, *WHY]) == 2
    assert says in capsys.readouterr().err


def test_the_list_of_waivers_shows_every_selector(known: str, capsys: pytest.CaptureFixture[str]) -> None:
    end = f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"
    words = ["--tag", "team=data", "--region", "us-*", "--policy", "S3_*", "--expires", end]
    assert run(["waive", *words, *WHY]) == 0
    assert run(["waivers"]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert "us-* team=data" in line and "S3_*" in line and end in line


@pytest.mark.parametrize(
    ("control", "says"),
    [
        ("2.5.1", "K-ISMS 2.5.1 is judged by policies"),
        ("1.1.11", "Did you mean `1.1.1`? `driftguard compliance --framework K-ISMS --all` lists them."),
    ],
)
def test_only_a_control_that_people_judge_is_attested(
    known: str, capsys: pytest.CaptureFixture[str], control: str, says: str
) -> None:
    assert run(["attest", "K-ISMS", control, "--statement", "the board met"]) == 2
    assert says in capsys.readouterr().err
    assert run(["attest", "K-ISMS", "1.1.1", "--statement", "the board met"]) == 0
