"""The command line asked for a moment: an answer of then, or a word that there is none."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from driftguard.history import open_store
from driftguard.model import ComplianceType, Gap, GapReason, Scope
from tests.history_values import drift, evaluation, finding, night, report, resource, run, snapshot
from tests.scanning import run as driftguard

POLICY = "S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole night, and a look at one stack on the fifth."""
    url = f"sqlite:///{tmp_path}/memory.db"
    (tmp_path / "config.yaml").write_text(f"store: {{url: '{url}'}}\n")
    store = open_store(url)
    denied = Gap(reason=GapReason.ACCESS_DENIED, account="2" * 12, region="us-east-1", detail="not allowed")
    bad = tuple(evaluation(name, ComplianceType.NON_COMPLIANT, POLICY) for name in "ab")
    store.record(
        report(0, drifts=(drift("a"), drift("b")), evaluations=bad, findings=(finding("a"),), gaps=(denied,)),
        snapshot(0, resource("a"), resource("b")),
    )
    part = run(5, scope=Scope(stacks=("small",)), finished_at=night(5) + timedelta(minutes=1))
    good = evaluation("a", ComplianceType.COMPLIANT, POLICY)
    store.record(
        report(5, run=part, evaluations=(good,), findings=(finding("a"),)), snapshot(5, resource("a"))
    )
    store.close()
    return tmp_path


def test_a_score_of_a_moment(folder: Path) -> None:
    def score(*options: str) -> tuple[int, int]:
        code, out, err = driftguard(
            folder, {}, "compliance", "--framework", "K-ISMS", "--output", "json", *options
        )
        assert code in (0, 1), err
        found = json.loads(out)
        return found["compliant_pairs"], found["judged_pairs"]

    now, then = score(), score("--at", "2026-11-02")
    assert then[0] == 0 < then[1] == now[1] and now[0] > 0
    assert score("--at", "20261102") == then, "a day is a day, however it is written"
    for options, said in (
        (("--account", "9" * 12), "there is no account 999999999999"),
        (("--at", "2001-01-01"), "had been looked at by"),
    ):
        code, _, err = driftguard(folder, {}, "compliance", "--framework", "K-ISMS", *options)
        assert code == 2 and said in err, err
    code, _, err = driftguard(
        folder, {}, "compliance", "--framework", "K-ISMS", "--stack", "shop", "--limit", "5"
    )
    assert code == 2 and "--stack" in err and "--limit" in err


def test_drift_of_a_moment(folder: Path) -> None:
    def told(*options: str) -> dict[str, object]:
        _, out, _ = driftguard(folder, {}, "drift", "--output", "json", *options)
        found: dict[str, object] = json.loads(out)
        return found

    code, _, err = driftguard(folder, {}, "drift", "--at", "2001-01-01")
    assert code == 2 and "had been looked at by" in err, err
    then = told("--at", "2026-11-02")
    assert then["run"]["id"] == "r0" and len(then["gaps"]) == 1 and len(then["drifts"]) == 2  # type: ignore[arg-type,index]
    now = told()
    assert now["run"]["id"] == "r5" and len(now["gaps"]) == 1, "what the look at one stack did not see either"  # type: ignore[arg-type,index]
    assert now["run"]["scope"]["stacks"] == []  # type: ignore[index]
