"""What is known after a run over a part: what it saw there, and everything else as it was known before."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from driftguard.errors import StoreError
from driftguard.history.evidence import export
from driftguard.history.port import Query
from driftguard.history.standing import standing
from driftguard.history.store import SqlStore
from driftguard.model import (
    ComplianceType,
    Evaluation,
    FindingKind,
    FindingStatus,
    Gap,
    GapReason,
    Outcome,
    PolicySummary,
    Report,
    Scope,
    Severity,
    Waiver,
)
from tests.history_values import ACCOUNT, drift, evaluation, finding, night, report, resource, run, snapshot

POLICY = PolicySummary(
    id="VERSIONING",
    title="Buckets keep versions",
    severity=Severity.MEDIUM,
    resource_types=("AWS::S3::Bucket",),
    frameworks={"K-ISMS": ("2.9.3",)},
)
SMALL = Scope(stacks=("small",))
DENIED = Gap(reason=GapReason.ACCESS_DENIED, account="222222222222", region="us-east-1", detail="not allowed")
BUSY = Gap(
    reason=GapReason.IN_PROGRESS,
    account=ACCOUNT,
    region="us-east-1",
    detail="an update runs",
    stack=f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/small/1",
)


def verdicts(**given: str) -> tuple[Evaluation, ...]:
    return tuple(evaluation(name, ComplianceType(verdict)) for name, verdict in given.items())


def judged(number: float, scope: Scope = Scope(), /, **more: Any) -> Report:
    which = run(number, scope=scope, finished_at=night(number) + timedelta(minutes=5))
    return report(number, run=which, policies={"VERSIONING": POLICY}, **more)


def exported(store: SqlStore, at: float, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The row of the one policy, and coverage.json."""
    target = folder / f"{at}.zip"
    export(store, "K-ISMS", night(at), target, actor="kim")
    with zipfile.ZipFile(target) as archive:
        [control] = json.loads(archive.read("controls.json"))
        coverage: dict[str, Any] = json.loads(archive.read("coverage.json"))
        [row] = control["policies"]
        return row, coverage


def test_a_look_at_one_stack_takes_nothing_from_the_evidence(store: SqlStore, tmp_path: Path) -> None:
    everything = verdicts(a="NON_COMPLIANT", b="NON_COMPLIANT", c="NON_COMPLIANT")
    live = [resource(name) for name in "abc"]
    store.record(judged(0, evaluations=everything, gaps=(DENIED, BUSY)), snapshot(0, *live))
    store.record(judged(1, SMALL, evaluations=verdicts(c="COMPLIANT")), snapshot(1, live[2]))
    row, coverage = exported(store, 2, tmp_path)
    assert (row["counts"]["NON_COMPLIANT"], row["counts"]["COMPLIANT"]) == (2, 1)
    assert [one["run"]["id"] for one in coverage["runs"]] == ["r1", "r0"]
    assert coverage["runs"][0]["run"]["scope"] == {"stacks": ["small"]}
    assert coverage["over_everything"] == "r0"
    assert [gap["account"] for gap in coverage["gaps"]] == [DENIED.account], "the stack was looked at since"
    row, coverage = exported(store, 0.5, tmp_path)
    assert row["counts"]["NON_COMPLIANT"] == 3 and len(coverage["gaps"]) == 2
    store.record(judged(3, evaluations=verdicts(a="COMPLIANT")), snapshot(3, *live))
    row, coverage = exported(store, 4, tmp_path)
    assert sum(row["counts"].values()) == 1 and [one["run"]["id"] for one in coverage["runs"]] == ["r3"]


def test_what_a_later_look_no_longer_found_is_no_evidence(store: SqlStore, tmp_path: Path) -> None:
    live = [resource(name) for name in "ab"]
    store.record(judged(0, evaluations=verdicts(a="NON_COMPLIANT", b="COMPLIANT")), snapshot(0, *live))
    region = Scope(accounts=(ACCOUNT,), regions=("us-east-1",))
    gone = snapshot(1, live[1], deleted=(live[0].key,))
    store.record(judged(1, region, evaluations=verdicts(b="COMPLIANT")), gone)
    row, _ = exported(store, 2, tmp_path)
    assert (row["verdict"], row["counts"]["COMPLIANT"]) == ("COMPLIANT", 1)


def test_without_a_run_over_everything_the_evidence_says_so(store: SqlStore, tmp_path: Path) -> None:
    east, west = (Scope(accounts=(ACCOUNT,), regions=(name,)) for name in ("us-east-1", "us-west-2"))
    store.record(judged(0, east, evaluations=verdicts(a="COMPLIANT")), snapshot(0, resource("a")))
    store.record(judged(1, west), snapshot(1))
    store.record(judged(2, west), snapshot(2))
    row, coverage = exported(store, 3, tmp_path)
    assert row["verdict"] == "COMPLIANT" and row["gaps"] == 1
    assert [one["run"]["id"] for one in coverage["runs"]] == ["r2", "r0"], "the newest of each part"
    assert (coverage["outcome"], coverage["over_everything"]) == ("PARTIAL", None)
    assert "No run looked at everything" in coverage["gaps"][0]["detail"]


def test_a_run_that_was_still_at_work_is_no_evidence(store: SqlStore, tmp_path: Path) -> None:
    store.record(judged(0, evaluations=verdicts(a="NON_COMPLIANT")), snapshot(0, resource("a")))
    slow = judged(1, evaluations=verdicts(a="COMPLIANT"))
    slow = replace(slow, run=replace(slow.run, finished_at=night(1) + timedelta(hours=5)))
    store.record(slow, snapshot(1, resource("a")))
    assert exported(store, 1 + 1 / 24, tmp_path)[0]["verdict"] == "NON_COMPLIANT"
    assert exported(store, 1 + 6 / 24, tmp_path)[0]["verdict"] == "COMPLIANT"
    with pytest.raises(StoreError, match="no run"):
        exported(store, 0.001, tmp_path)


def test_a_waiver_that_was_over_accepts_nothing(store: SqlStore, tmp_path: Path) -> None:
    waiver = Waiver(id="W-1", reason="r", owner="o", approver="a", created_at=night(0), expires_at=night(30))
    store.put_waiver(waiver, actor="kim")
    accepted = finding(
        "a",
        "VERSIONING",
        kind=FindingKind.COMPLIANCE,
        status=FindingStatus.SUPPRESSED,
        waiver="W-1",
    )
    bad = verdicts(a="NON_COMPLIANT")
    store.record(judged(29, evaluations=bad, findings=(accepted,)), snapshot(29, resource("a")))
    assert exported(store, 29.5, tmp_path)[0]["verdict"] == "WAIVED"
    row, _ = exported(store, 40, tmp_path)
    assert (row["verdict"], row["waived"]) == ("NON_COMPLIANT", [])


def test_verdicts_are_counted_as_of_a_moment(store: SqlStore) -> None:
    def counts(at: float | None) -> set[tuple[str, str, int]]:
        query = Query(at=None if at is None else night(at), accounts=(ACCOUNT,))
        return set(store.evaluation_counts(query))

    store.record(judged(0, evaluations=verdicts(a="NON_COMPLIANT", b="COMPLIANT")), snapshot(0))
    store.record(judged(5, evaluations=verdicts(a="COMPLIANT", b="COMPLIANT")), snapshot(5))
    assert counts(-1) == set()
    assert counts(1) == {("VERSIONING", "COMPLIANT", 1), ("VERSIONING", "NON_COMPLIANT", 1)}
    assert counts(6) == counts(None) == {("VERSIONING", "COMPLIANT", 2)}


def test_a_report_of_now_is_of_everything_that_is_known(store: SqlStore) -> None:
    first = judged(0, drifts=(drift("a"), drift("b")), gaps=(DENIED,), outcome=Outcome.PARTIAL, managed=9)
    store.record(first, snapshot(0, resource("a"), resource("b")))
    alone = standing(store)
    assert alone is not None and alone.report == store.report("r0")
    store.record(judged(1, SMALL, drifts=(drift("a", reordered=("/X",)),)), snapshot(1, resource("a")))
    known = standing(store)
    assert known is not None
    told = known.report
    assert {one.logical_id: one.reordered for one in told.drifts} == {"A": ("/X",), "B": ()}
    assert (told.run.id, told.run.scope, told.managed, told.outcome) == ("r1", Scope(), 9, Outcome.PARTIAL)
    assert told.gaps == (DENIED,) and told.coverage == first.coverage
    assert told.notes == ("This is the run r0 over everything, and 1 over parts since then.",)
    then = standing(store, night(0.5))
    assert then is not None and then.report == store.report("r0")
    assert standing(store, night(-1)) is None
