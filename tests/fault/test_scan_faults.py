"""A scan that AWS or a person disturbs: what was not seen is said, and nothing is concluded from it."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from driftguard.history import open_store
from driftguard.history.port import Query
from driftguard.model import DriftStatus, GapReason, Outcome, Report
from driftguard.sandbox import Sandbox
from driftguard.scan import scan
from driftguard.settings import load_settings
from driftguard.wiring import Wiring
from tests.scanning import REGION, change_the_queue, run, small_stack, start, variables


class Scanner:
    """Scans the management account in this process, with one store and few patience."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self._sandbox = sandbox
        self.url = f"sqlite:///{folder / 'driftguard.db'}"
        quick = {"DRIFTGUARD_AWS__MAX_ATTEMPTS": "2", "DRIFTGUARD_AWS__RETRY_MODE": "standard"}
        self._settings = load_settings(None, {"DRIFTGUARD_STORE": self.url, **quick})

    def __call__(self) -> Report:
        here = self._sandbox.session(region=REGION)
        with Wiring(self._settings, session_factory=lambda: here, clock=self._sandbox.clock.now) as wiring:
            return scan(wiring.job(trigger="test"))

    def rows(self) -> dict[str, list[Any]]:
        """All versions and all findings of the store."""
        with sqlite3.connect(self.url.removeprefix("sqlite:///")) as connection:
            return {
                name: connection.execute(f"SELECT * FROM {name}").fetchall()
                for name in ("versions", "findings")
            }


@pytest.fixture
def scanner(sandbox: Sandbox, tmp_path: Path) -> Iterator[Scanner]:
    small_stack(sandbox)
    yield Scanner(sandbox, tmp_path)


def of_the_queue(report: Report) -> DriftStatus:
    return next(drift.status for drift in report.drifts if drift.logical_id == "Queue")


def test_an_unchanged_estate_adds_nothing(scanner: Scanner) -> None:
    first = scanner()
    assert first.findings, "a scan without findings would prove nothing"
    before = scanner.rows()
    assert before["versions"] and before["findings"]
    second = scanner()
    after = scanner.rows()
    assert len(after["versions"]) == len(before["versions"])
    assert len(after["findings"]) == len(before["findings"])
    assert {f.fingerprint for f in second.findings} == {f.fingerprint for f in first.findings}
    assert second.resolved == ()


def test_a_few_throttled_calls_are_made_again(scanner: Scanner, sandbox: Sandbox) -> None:
    undisturbed = scanner()
    sandbox.faults.add("throttle", service="sqs", times=1)
    sandbox.faults.add("http", service="cloudformation", operation="DescribeStacks", status=503, times=1)
    sandbox.faults.add("throttle", service="cloudcontrol", times=1)
    report = scanner()
    assert sum(rule.fired for rule in sandbox.faults.rules) >= 2
    assert report.coverage == undisturbed.coverage
    assert report.gaps == undisturbed.gaps


@pytest.mark.parametrize(
    ("kind", "reason"), [("throttle", GapReason.THROTTLED), ("http", GapReason.UNREADABLE)]
)
@pytest.mark.parametrize("service", ["cloudcontrol", "cloudformation", "config"])
def test_what_stays_refused_is_a_gap_and_resolves_nothing(
    scanner: Scanner, sandbox: Sandbox, service: str, kind: str, reason: GapReason
) -> None:
    change_the_queue(sandbox)
    before = scanner()
    assert of_the_queue(before) is DriftStatus.MODIFIED
    open_before = {f.fingerprint for f in before.findings if f.open}
    rule = sandbox.faults.add(kind, service=service)
    disturbed = scanner()
    assert rule.fired
    assert disturbed.outcome is Outcome.PARTIAL
    assert reason in {gap.reason for gap in disturbed.gaps}, disturbed.gaps
    assert disturbed.resolved == ()
    sandbox.faults.clear()
    healed = scanner()
    assert {f.fingerprint for f in healed.findings if f.open} == open_before
    assert healed.resolved == ()


def test_ctrl_c_leaves_a_store_that_goes_on(sandbox_http: Sandbox, tmp_path: Path) -> None:
    small_stack(sandbox_http)
    given = variables(sandbox_http)
    change_the_queue(sandbox_http)
    slow = sandbox_http.faults.add("latency", service="cloudformation", operation="GetTemplate", seconds=1.5)
    with start(tmp_path, given, "scan", "--output", "json") as process:
        give_up = time.monotonic() + 60
        while not slow.fired:
            assert time.monotonic() < give_up and process.poll() is None, "the scan never read a template"
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "what was read is recorded" in err
    told = json.loads(out)
    assert told["outcome"] == "PARTIAL"
    assert "INTERRUPTED" in {gap["reason"] for gap in told["gaps"]}
    store = open_store(f"sqlite:///{tmp_path / 'driftguard.db'}")
    statuses = [one.status.value for one in store.runs(Query(limit=10)).items]
    assert statuses == ["INTERRUPTED"] and store.verify() == []
    store.close()

    sandbox_http.faults.clear()
    code, out, err = run(tmp_path, given, "scan", "--output", "json")
    assert code == 1, err
    drifts = {drift["logical_id"]: drift["status"] for drift in json.loads(out)["drifts"]}
    assert drifts["Queue"] == "MODIFIED"
