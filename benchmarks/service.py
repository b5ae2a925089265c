"""How fast pages and lists answer with 100,000 findings and a year of nights, beside the store's own time.

    python -m benchmarks.service [--findings 100000] [--requests 40] [--clients 1] [--store URL]

A store is filled with a year of runs, the last of which saw 20,000 resources, as many drifts, 200,000 verdicts and
100,000 findings.  A real server in a process of its own is then asked for each page over HTTP, by readers who keep
their connection; beside it stands what the store alone needs for the same question, and the ratio of the two.
"""

from __future__ import annotations

import argparse
import http.client
import multiprocessing
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from driftguard.history import open_store
from driftguard.history.port import Query
from driftguard.history.store import SqlStore
from driftguard.model import (
    ComplianceType,
    CoverageCounts,
    DifferenceType,
    Drift,
    DriftStatus,
    Evaluation,
    Finding,
    FindingKind,
    FindingStatus,
    Outcome,
    PropertyDifference,
    Report,
    Resource,
    ResourceKey,
    Run,
    Scope,
    Severity,
    Snapshot,
    Source,
    fingerprint,
)
from driftguard.service.access.tokens import create_token
from driftguard.settings import Settings

START = datetime(2025, 11, 21, 2, tzinfo=UTC)
NIGHTS = 365
ACCOUNTS = 200
POLICIES = 10
PAGE_MS, LIST_MS = 200, 100
OPEN = ("OPEN",)
_SEVERITIES = tuple(Severity)
Ask = Callable[[SqlStore], object]

# What is asked for over HTTP, and what the store is asked for the same.
ADDRESSES: tuple[tuple[str, Ask], ...] = (
    ("/", lambda s: (s.findings(Query(statuses=OPEN, limit=50)), s.finding_counts(Query(statuses=OPEN)))),
    ("/findings", lambda s: s.findings(Query(statuses=OPEN, limit=50))),
    (
        "/findings?severity=HIGH&account=100000000007",
        lambda s: s.findings(Query(statuses=OPEN, severities=("HIGH",), accounts=("100000000007",), limit=50)),
    ),
    ("/findings?q=bucket-9999", lambda s: s.findings(Query(statuses=OPEN, text="bucket-9999", limit=50))),
    ("/findings?q=nothing-like-it", lambda s: s.findings(Query(statuses=OPEN, text="nothing-like-it"))),
    ("/search?q=bucket-999", lambda s: s.find_keys("bucket-999")),
    ("/findings?stack=stack-77&order=-first_seen", lambda s: s.findings(Query(statuses=OPEN, stacks=("stack-77",)))),
    ("/drifts", lambda s: s.drifts(Query(statuses=("DRIFTED",), limit=50))),
    ("/drifts?q=bucket-999", lambda s: s.drifts(Query(statuses=("DRIFTED",), text="bucket-999", limit=50))),
    ("/causes", lambda s: s.findings(Query(statuses=OPEN, limit=2000))),
    ("/resources", lambda s: s.resources(Query(limit=50))),
    ("/stacks", lambda s: s.stacks(Query(limit=50))),
    ("/runs", lambda s: s.runs(Query(limit=50))),
    ("/compliance", lambda s: s.evaluation_counts(Query())),
    ("/compliance/ISMS-P", lambda s: s.evaluation_counts(Query())),
    ("/policies", lambda s: s.evaluation_counts(Query())),
    ("/audit", lambda s: s.audit_newest(None, 100)),
    ("/api/v1/findings", lambda s: s.findings(Query(limit=100))),
    ("/api/v1/findings?status=OPEN", lambda s: s.findings(Query(statuses=OPEN, limit=100))),
    (
        "/api/v1/findings?status=OPEN&severity=HIGH",
        lambda s: s.findings(Query(statuses=OPEN, severities=("HIGH",), limit=100)),
    ),
    ("/api/v1/findings?status=OPEN&q=bucket-9999", lambda s: s.findings(Query(statuses=OPEN, text="bucket-9999"))),
    ("/api/v1/drifts", lambda s: s.drifts(Query(limit=100))),
    ("/api/v1/resources", lambda s: s.resources(Query(limit=100))),
    ("/api/v1/evaluations", lambda s: s.evaluations(Query(limit=100))),
    ("/api/v1/compliance", lambda s: s.evaluation_counts(Query())),
    ("/api/v1/runs", lambda s: s.runs(Query(limit=100))),
)  # fmt: skip


def main(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = arguments.store or f"sqlite:///{folder}/b.db"
        store = open_store(url)
        assert isinstance(store, SqlStore)
        begun = time.perf_counter()
        if not store.runs(Query(limit=1)).items:
            fill(store, arguments.findings)
        store.compact()  # what autovacuum does between real nights
        print(f"filled {url.split(':', 1)[0]} in {time.perf_counter() - begun:.0f} s", flush=True)
        token = create_token(store, name="bench", scopes=["read", "audit"], actor="bench")
        port = _free_port()
        server = multiprocessing.get_context("spawn").Process(target=_serve, args=(url, port), daemon=True)
        server.start()
        try:
            _await(port)
            _report(store, port, token, arguments)
        finally:
            server.terminate()
            server.join(20)
            store.close()


def fill(store: SqlStore, count: int) -> None:
    """A year of nights, the last of which left ``count`` open findings, one resource for each five."""
    for night in range(NIGHTS):
        store.record(_report_of(night), Snapshot(taken_at=START + timedelta(days=night), resources={}))
    numbers = range(count // 5)
    keys = [_key(number) for number in numbers]
    report = replace(
        _report_of(NIGHTS),
        drifts=tuple(_drift(number, key) for number, key in zip(numbers, keys, strict=True)),
        evaluations=tuple(
            _verdict(number, key, policy) for policy in range(POLICIES) for number, key in enumerate(keys)
        ),
        findings=tuple(_finding(number) for number in range(count)),
    )
    resources = {
        key: Resource(key=key, properties={"BucketName": key.identifier}, source=Source.CONFIG)
        for key in keys
    }
    store.record(report, Snapshot(taken_at=START + timedelta(days=NIGHTS), resources=resources))


def _report_of(night: int) -> Report:
    at = START + timedelta(days=night)
    run = Run(id=f"n{night:03}", started_at=at, finished_at=at + timedelta(minutes=5), scope=Scope())
    return Report(run=run, outcome=Outcome.COMPLETE, coverage=CoverageCounts(checked=100))


def _key(number: int) -> ResourceKey:
    return ResourceKey(
        account=str(100_000_000_000 + number % ACCOUNTS),
        region="ap-northeast-2" if number % 3 else "us-east-1",
        type="AWS::S3::Bucket",
        identifier=f"bucket-{number}",
    )


def _drift(number: int, key: ResourceKey) -> Drift:
    """Three of four resources are in sync."""
    difference = PropertyDifference(
        path="/VersioningConfiguration/Status",
        expected="Enabled",
        actual="Suspended",
        type=DifferenceType.NOT_EQUAL,
    )
    place = {
        "stack": f"stack-{number % 2000}",
        "logical_id": f"Bucket{number}",
        "physical_id": key.identifier,
    }
    if number % 4:
        return Drift(key=key, status=DriftStatus.IN_SYNC, **place)
    return Drift(key=key, status=DriftStatus.MODIFIED, differences=(difference,), **place)


def _verdict(number: int, key: ResourceKey, policy: int) -> Evaluation:
    verdict = ComplianceType.COMPLIANT if (number + policy) % 3 else ComplianceType.NON_COMPLIANT
    return Evaluation(policy=f"POLICY_{policy}", key=key, compliance=verdict, severity=Severity.MEDIUM)


def _finding(number: int) -> Finding:
    """A finding on a resource, of which each has five; one in fifty was opened by the last night."""
    key, subject = _key(number // 5), f"/Property{number % 5}"
    night = NIGHTS if number % 50 == 0 else number % NIGHTS
    seen = START + timedelta(days=night)
    bare = Finding(
        fingerprint="",
        kind=FindingKind.DRIFT,
        key=key,
        subject=subject,
        severity=_SEVERITIES[number % 5],
        title=f"{key.identifier} differs at {subject}",
        status=FindingStatus.NOTIFIED,
        first_seen=seen,
        last_seen=seen,
        message="The template says Enabled, AWS has Suspended.",
        stack=f"stack-{number % 2000}",
        logical_id=f"Bucket{number // 5}",
        opened_run=f"n{night:03}",
        last_run=f"n{NIGHTS:03}",
        detail='{"differences":[{"path":"/VersioningConfiguration/Status","expected":"Enabled","actual":"Suspended","type":"NOT_EQUAL"}]}',
    )
    return replace(bare, fingerprint=fingerprint(bare.kind, key, bare.subject))


def _serve(url: str, port: int) -> None:
    import uvicorn

    from driftguard.service.app import create_app
    from driftguard.service.services import services
    from driftguard.wiring import Wiring

    sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process
    settings = Settings.model_validate(
        {"store": {"url": url}, "web": {"port": port, "requests_per_minute": 10**9}}
    )
    with Wiring(settings) as wiring:
        app = create_app(services(wiring))
        uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False)


def _report(store: SqlStore, port: int, token: str, arguments: argparse.Namespace) -> None:
    print(f"{'milliseconds':48}{'p50':>8}{'p95':>8}{'store p50':>11}{'ratio':>7}   {'limit':>5}")
    slow = 0
    for address, ask in ADDRESSES:
        alone = _middle(_times(max(3, arguments.requests // 4), lambda ask=ask: ask(store)))  # type: ignore[misc]
        with ThreadPoolExecutor(arguments.clients) as readers:
            each = -(-arguments.requests // arguments.clients)
            found = [readers.submit(_read, port, token, address, each) for _ in range(arguments.clients)]
            times = sorted(one for reader in found for one in reader.result(timeout=600))
        p95, limit = times[int(len(times) * 0.95)], LIST_MS if address.startswith("/api") else PAGE_MS
        slow += p95 > limit
        print(
            f"{address:48}{_middle(times):8.1f}{p95:8.1f}{alone:11.1f}{_middle(times) / alone:7.1f}   {limit:5}"
            f"{'  SLOW' if p95 > limit else ''}",
            flush=True,
        )
    print(f"{slow} of {len(ADDRESSES)} above their limit")


def _read(port: int, token: str, address: str, count: int) -> list[float]:
    """One reader asks for ``address`` ``count`` times, after once to warm up."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"authorization": f"Bearer {token}", "accept": "text/html"}

    def ask() -> None:
        connection.request("GET", address, headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"{address} answered {answer.status}")

    ask()
    return _times(count, ask)


def _times(count: int, work: Callable[[], object]) -> list[float]:
    """Milliseconds that ``work`` took, each time."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return times


def _middle(times: list[float]) -> float:
    return sorted(times)[len(times) // 2]


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
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--findings", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--clients", type=int, default=1, help="readers at the same time")
    parser.add_argument("--store", metavar="URL", help="a database of your own, empty or filled before")
    main(parser.parse_args())
