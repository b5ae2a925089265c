"""`driftguard ignore` leaves a property out of drift; a typo is told, and policies go on judging."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftguard.cli.root import run
from driftguard.history import open_store
from driftguard.model import COMPARED


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = f"sqlite:///{tmp_path}/x.db"
    monkeypatch.setenv("DRIFTGUARD_STORE", url)
    monkeypatch.chdir(tmp_path)
    return url


def ignore(property_: str) -> int:
    return run(["ignore", property_, "--owner", "kim", "--reason", "moved by the autoscaler"])


def test_it_is_about_drift_and_about_no_policy(store: str) -> None:
    assert ignore("AWS::ECS::Service:/DesiredCount") == 0
    opened = open_store(store)
    [waiver] = opened.waivers()
    opened.close()
    assert waiver.kinds == COMPARED and waiver.path == "/DesiredCount"


@pytest.mark.parametrize(
    ("property_", "said"),
    [
        ("*:/*", "everything"),
        ("AWS::*:/*", "everything"),
        ("AWS::S3::Bukcet:/Tags", "Did you mean AWS::S3::Bucket?"),
        ("AWS::S3::Bucket:/Tagz", "Did you mean /Tags?"),
        ("AWS::S3::Bucket", "is not TYPE:POINTER"),
    ],
)
def test_what_leaves_out_nothing_or_everything_is_refused(
    store: str, property_: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ignore(property_) == 2
    assert said in capsys.readouterr().err


def test_a_type_may_be_a_pattern_where_the_property_is_named(store: str) -> None:
    assert ignore("AWS::*:/Tags") == 0
