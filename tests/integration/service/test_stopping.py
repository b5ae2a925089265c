"""SIGTERM while a scan is under way: requests end, the run is closed as interrupted, and the process leaves with 0."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import httpx2

from driftguard.history import open_store
from driftguard.history.port import Query
from driftguard.model import RunStatus
from driftguard.sandbox import Sandbox
from driftguard.service.access.tokens import create_token
from tests.scanning import small_stack, start, variables
from tests.synthetic.service.browser import free_port


def test_a_scan_under_way_is_closed(sandbox_http: Sandbox, tmp_path: Path) -> None:
    small_stack(sandbox_http)
    # AWS answers slowly from now on, so that the signal comes in the middle.
    sandbox_http.faults.add("latency", operation="*", seconds=0.4)
    url, port = f"sqlite:///{tmp_path}/s.db", free_port()
    store = open_store(url)
    token = create_token(store, name="ci", scopes=["read", "scan"], actor="test")
    headers = {"authorization": f"Bearer {token}"}
    with start(
        tmp_path, {**variables(sandbox_http), "DRIFTGUARD_STORE": url}, "serve", "--port", str(port)
    ) as process:
        try:
            assert process.stderr is not None
            said = [process.stderr.readline() for _ in range(2)]
            assert "/sign-in?code=" in said[1], said
            base = f"http://127.0.0.1:{port}"
            _until_it_answers(base)
            for nowhere in ({"regions": ["mars-1"]}, {"accounts": ["999999999999"]}):
                answer = httpx2.post(f"{base}/api/v1/runs", json=nowhere, headers=headers, timeout=20)
                assert answer.status_code == 400 and "Known: " in answer.json()["fix"], answer.text
            assert store.runs(Query()).items == ()
            answer = httpx2.post(f"{base}/api/v1/runs", json={}, headers=headers, timeout=20)
            assert answer.status_code == 202, answer.text
            run = answer.json()["run"]
            while (
                httpx2.get(f"{base}/api/v1/runs/{run}", headers=headers, timeout=20).json()["progress"] or {}
            ).get("phase") != "read":
                time.sleep(0.05)
            assert [one.status for one in store.runs(Query()).items] == [RunStatus.RUNNING]
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0
    (left,) = store.runs(Query()).items
    assert left.status is RunStatus.INTERRUPTED
    assert store.verify() == []
    store.close()


def _until_it_answers(base: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if httpx2.get(f"{base}/readyz", timeout=5).status_code == 200:
                return
        except httpx2.HTTPError:
            assert time.monotonic() < deadline, "the service does not answer"
        time.sleep(0.1)
