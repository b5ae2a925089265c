"""How fast pages and lists answer with 100,000 findings, beside the store's own time.

Run with ``python -m benchmarks.service [FINDINGS] [REQUESTS]``.  A store is filled by SQL with findings of many
accounts and a year of runs; then each page is asked for over HTTP from a real server in a process of its own.
"""

from __future__ import annotations

import http.client
import multiprocessing
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from driftguard.history import open_store
from driftguard.history.port import Query
from driftguard.history.store import SqlStore
from driftguard.history.tables.finding_rows import write_findings
from driftguard.model import (
    CoverageCounts,
    Finding,
    FindingKind,
    FindingStatus,
    Outcome,
    Report,
    ResourceKey,
    Run,
    Scope,
    Severity,
    Snapshot,
    fingerprint,
)
from driftguard.service.access.tokens import create_token
from driftguard.settings import Settings

START = datetime(2025, 11, 21, 2, tzinfo=UTC)
NIGHTS = 365
ADDRESSES = (
    "/", "/findings", "/findings?severity=HIGH&account=100000000007", "/findings?q=bucket-9999", "/drifts", "/runs",
    "/compliance", "/api/v1/findings", "/api/v1/findings?status=OPEN&severity=HIGH", "/api/v1/findings?status=OPEN",
    "/api/v1/drifts", "/api/v1/runs", "/api/v1/evaluations",
)  # fmt: skip
_SEVERITIES = tuple(Severity)


def main(findings: int = 100_000, requests: int = 40) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/b.db"
        store = open_store(url)
        fill(store, findings)
        token = create_token(store, name="bench", scopes=["read"], actor="bench")
        port = _free_port()
        server = multiprocessing.get_context("spawn").Process(target=_serve, args=(url, port), daemon=True)
        server.start()
        try:
            _await(port)
            _report(store, port, token, requests)
        finally:
            server.terminate()
            server.join(20)
            store.close()


def fill(store: SqlStore, count: int) -> None:
    """A year of nights, the last of which left ``count`` open findings."""
    for night in range(NIGHTS):
        at = START + timedelta(days=night)
        run = Run(id=f"n{night:03}", started_at=at, finished_at=at + timedelta(minutes=5), scope=Scope())
        report = Report(run=run, outcome=Outcome.COMPLETE, coverage=CoverageCounts(checked=100))
        store.record(report, Snapshot(taken_at=at, resources={}))
    with store.database.write() as connection:
        write_findings(connection, (_finding(number) for number in range(count)), NIGHTS, START)


def _finding(number: int) -> Finding:
    key = ResourceKey(
        account=str(100_000_000_000 + number % 200),
        region="ap-northeast-2" if number % 3 else "us-east-1",
        type="AWS::S3::Bucket",
        identifier=f"bucket-{number}",
    )
    seen = START + timedelta(days=number % NIGHTS)
    bare = Finding(
        fingerprint="",
        kind=FindingKind.DRIFT,
        key=key,
        subject="/VersioningConfiguration/Status",
        severity=_SEVERITIES[number % 5],
        title=f"Bucket{number} differs at /VersioningConfiguration/Status",
        status=FindingStatus.NOTIFIED,
        first_seen=seen,
        last_seen=seen,
        message="The template says Enabled, AWS has Suspended.",
        stack=f"stack-{number % 2000}",
        logical_id=f"Bucket{number}",
        opened_run=f"n{number % NIGHTS:03}",
        detail='{"differences":[{"path":"/VersioningConfiguration/Status","expected":"Enabled","actual":"Suspended","type":"NOT_EQUAL"}]}',
    )
    return replace(bare, fingerprint=fingerprint(bare.kind, key, bare.subject))


def _serve(url: str, port: int) -> None:
    import uvicorn

    from driftguard.service import logs
    from driftguard.service.app import create_app
    from driftguard.service.services import services
    from driftguard.wiring import Wiring

    settings = Settings.model_validate(
        {"store": {"url": url}, "web": {"port": port, "requests_per_minute": 10**9}}
    )
    logs.configure()
    with Wiring(settings) as wiring:
        app = create_app(services(wiring))
        uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False)


def _report(store: SqlStore, port: int, token: str, requests: int) -> None:
    print(f"{'':55}{'p50 ms':>9}{'p95 ms':>9}")
    for name, query in (
        ("the store: open findings, worst first", Query(statuses=("OPEN",), limit=100)),
        ("the store: open findings, high", Query(statuses=("OPEN",), severities=("HIGH",), limit=100)),
        ("the store: text", Query(statuses=("OPEN",), text="bucket-9999", limit=50)),
    ):
        _line(name, _times(requests, lambda query=query: store.findings(query)))  # type: ignore[misc]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"authorization": f"Bearer {token}", "accept": "text/html"}
    for address in ADDRESSES:

        def ask(address: str = address) -> None:
            connection.request("GET", address, headers=headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"{address} answered {answer.status}")

        ask()
        _line(address, _times(requests, ask))


def _times(count: int, work: Callable[[], object]) -> list[float]:
    times = []
    for _ in range(count):
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return sorted(times)


def _line(name: str, times: list[float]) -> None:
    print(f"{name:55}{times[len(times) // 2]:9.1f}{times[int(len(times) * 0.95)]:9.1f}", flush=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(port: int, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit("the server did not start")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
