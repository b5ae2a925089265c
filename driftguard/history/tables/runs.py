"""Runs: begun, recorded, failed, read back as reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from driftguard.errors import StoreError
from driftguard.history.causes import group
from driftguard.history.codec import from_iso, from_text, instant, iso, micros, text
from driftguard.history.coverage import covered
from driftguard.history.database import Connection, Row, chunks, first
from driftguard.history.members import pack_ids
from driftguard.history.port import ImportCounts, Page, Query
from driftguard.history.query import Select, page
from driftguard.history.tables.base import Part, members
from driftguard.history.tables.conclusions import DRIFT, EVALUATION, drift_of, evaluation_of
from driftguard.history.tables.facts import Facts
from driftguard.history.tables.finding_rows import findings_of_run, write_findings
from driftguard.history.tables.identities import Identities
from driftguard.history.tables.ledger import close_unit
from driftguard.history.tables.outbox import put_deliveries
from driftguard.history.tables.states import States
from driftguard.history.tables.texts import Texts
from driftguard.history.tables.trends import trend_point
from driftguard.model import (
    CoverageCounts,
    Finding,
    Gap,
    GapReason,
    Outcome,
    PolicySummary,
    Report,
    Run,
    RunStatus,
    Scope,
    Snapshot,
    StackState,
    Waiver,
)
from driftguard.model.notice import Delivery
from driftguard.model.schedule import Lease

T = TypeVar("T")
_COLUMNS = (
    "id, status, outcome, started_at, finished_at, started_by, tool_version, policy_version, error, scope, "
    "forgotten_before"
)
GAP_COLUMNS = "reason, account, region, detail, type, identifier, stack, path, action"


class RunPart(Part):
    """Runs and their reports."""

    def begin_run(self, run: Run) -> None:
        with self.database.write() as connection:
            _insert(connection, run)

    def fail_run(self, run_id: str, status: str, error: str) -> None:
        with self.database.write() as connection:
            touched = connection.run(
                "UPDATE runs SET status = ?, error = ?, finished_at = ? WHERE id = ? AND status = 'RUNNING'",
                (status, error, iso(datetime.now(UTC)), run_id),
            )
        if not touched:
            raise StoreError(
                f"there is no running run {run_id}.", fix="`driftguard history --runs` lists runs."
            )

    def record(
        self,
        report: Report,
        snapshot: Snapshot,
        lease: Lease | None = None,
        deliveries: Sequence[Delivery] = (),
    ) -> ImportCounts:
        with self.database.write() as connection:
            if lease is not None:
                close_unit(self.database, connection, lease, report.run)
            at = _moment(connection, report.run.id, micros(snapshot.taken_at))
            snapshot = replace(snapshot, taken_at=instant(at))
            seq = _finish(connection, report, at)
            identities, texts = Identities(connection), Texts(connection)
            counts = States(connection, identities, texts).record(snapshot)
            facts = Facts(connection, identities, texts, at, covered(report, snapshot))
            finished = report.run.finished_at or snapshot.taken_at
            findings = write_findings(connection, (*report.findings, *report.resolved), seq, finished)
            seen = {
                "drift": facts.drifts(report.drifts),
                "evaluation": facts.evaluations(report.evaluations),
                "gap": facts.gaps(report.gaps),
                "policy": facts.policies(report.policies.values()),
                "stack": facts.stacks(report.stacks),
                "waiver": [texts.id(text(waiver)) for waiver in report.waivers],
                "finding": [findings[finding.fingerprint] for finding in report.findings],
                "carried": [findings[f.fingerprint] for f in report.findings if f.last_run != report.run.id],
                "resolved": [findings[finding.fingerprint] for finding in report.resolved],
                "new": [findings[name] for name in report.new if name in findings],
                "reopened": [findings[name] for name in report.reopened if name in findings],
            }
            identities.flush()
            texts.flush()
            connection.many(
                "INSERT INTO run_members (run_seq, kind, ids) VALUES (?, ?, ?)",
                [(seq, kind, pack_ids(ids)) for kind, ids in seen.items() if ids],
            )
            put_deliveries(connection, deliveries, self.database.now(finished))
        return counts

    def runs(self, query: Query) -> Page[Run]:
        orders = {"started_at": "started_at"}
        select = Select(_COLUMNS, "runs", "seq", orders)
        select.among("status", query.statuses)
        if query.at is not None:
            # One that was still at work at the moment had told nothing by then.
            select.condition("finished_at <= ?", iso(query.at))
        newest = query if query.order else replace(query, order="-started_at")
        with self.database.read() as connection:
            return page(connection, select, newest, lambda rows: [_run(row) for row in rows])

    def run(self, run_id: str) -> Run | None:
        with self.database.read() as connection:
            row = first(connection.rows(f"SELECT {_COLUMNS} FROM runs WHERE id = ?", (run_id,)))  # noqa: S608
        return _run(row) if row else None

    def gaps(self, run_id: str) -> Sequence[Gap]:
        with self.database.read() as connection:
            row = first(connection.rows("SELECT seq FROM runs WHERE id = ?", (run_id,)))
            return _gaps(connection, row[0]) if row else ()

    def report(self, run_id: str | None = None) -> Report | None:
        condition, parameters = ("id = ?", [run_id]) if run_id else ("status = 'SUCCEEDED'", [])
        sql = (
            f"SELECT {_COLUMNS}, seq, taken_at, coverage, managed, unmanaged, notes FROM runs "  # noqa: S608
            f"WHERE {condition} AND taken_at IS NOT NULL ORDER BY seq DESC LIMIT 1"
        )
        with self.database.read() as connection:
            row = first(connection.rows(sql, parameters))
            return _report(connection, row) if row else None


def _insert(connection: Connection, run: Run) -> int:
    seq = int(connection.rows("SELECT COALESCE(MAX(seq), 0) FROM runs")[0][0]) + 1
    if connection.rows("SELECT 1 FROM runs WHERE id = ?", (run.id,)):
        raise StoreError(f"the run {run.id} exists already.", fix="Give every run an id of its own.")
    connection.run(
        "INSERT INTO runs (seq, id, status, outcome, started_at, finished_at, started_by, tool_version, "
        "policy_version, error, scope, coverage) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '{}')",
        (
            seq,
            run.id,
            run.status.value,
            run.outcome.value if run.outcome else None,
            iso(run.started_at),
            None if run.finished_at is None else iso(run.finished_at),
            run.trigger,
            run.tool_version,
            run.policy_version,
            run.error,
            text(run.scope),
        ),
    )
    return seq


def _moment(connection: Connection, run_id: str, at: int) -> int:
    """When a run looked, in the store's time: after every run that was over when it began.

    A clock may have been set back, or another node's may go before: what looked later is later all the same.
    """
    sql = "SELECT MAX(o.taken_at) FROM runs r JOIN runs o ON o.seq < r.seq WHERE r.id = ? AND r.taken_at IS NULL"
    newest = connection.rows(sql, (run_id,))[0][0]
    return at if newest is None else max(at, int(newest) + 1)


def _finish(connection: Connection, report: Report, at: int) -> int:
    """Close the run's row (or make it, for a run that was never begun); answers its number."""
    run = report.run
    row = first(connection.rows("SELECT seq, status, taken_at FROM runs WHERE id = ?", (run.id,)))
    if row is not None and row[2] is not None:
        raise StoreError(f"the run {run.id} was recorded already.", fix="A run is recorded once.")
    if row is not None and row[1] != RunStatus.RUNNING.value:
        raise StoreError(f"the run {run.id} is over ({row[1]}).", fix="Start a new run.")
    seq = int(row[0]) if row is not None else _insert(connection, run)
    status = RunStatus.SUCCEEDED if run.status is RunStatus.RUNNING else run.status
    connection.run(
        "UPDATE runs SET status = ?, outcome = ?, finished_at = ?, taken_at = ?, tool_version = ?, "
        "policy_version = ?, error = ?, scope = ?, coverage = ?, managed = ?, unmanaged = ?, trend = ?, notes = ? "
        "WHERE seq = ?",
        (
            status.value,
            report.outcome.value,
            iso(run.finished_at or datetime.now(UTC)),
            at,
            run.tool_version,
            run.policy_version,
            run.error,
            text(run.scope),
            text(report.coverage),
            report.managed,
            report.unmanaged,
            text(trend_point(report, instant(at))),
            text(list(report.notes)),
            seq,
        ),
    )
    return seq


def _run(row: Row) -> Run:
    return Run(
        id=row[0],
        status=RunStatus(row[1]),
        outcome=Outcome(row[2]) if row[2] else None,
        started_at=from_iso(row[3]),
        finished_at=from_iso(row[4]) if row[4] else None,
        trigger=row[5],
        tool_version=row[6],
        policy_version=row[7],
        error=row[8],
        scope=from_text(Scope, row[9]),
        forgotten=None if row[10] is None else instant(row[10]),
    )


def _report(connection: Connection, row: Row) -> Report:
    seq, run = row[11], _run(row)
    listed = members(connection, seq, "finding")
    resolved = members(connection, seq, "resolved")
    findings = findings_of_run(connection, [*listed, *resolved], seq)
    carried = set(members(connection, seq, "carried"))
    numbers = {finding.fingerprint: number for number, finding in findings.items()}
    at_end = run.finished_at or run.started_at
    documents = "SELECT document FROM {table} WHERE id IN ({ids}) ORDER BY id"

    def ended(finding: Finding) -> Finding:
        if numbers[finding.fingerprint] in carried:
            return finding
        return replace(finding, last_seen=max(finding.last_seen, at_end), last_run=run.id)

    def load(
        kind: str, table: str, sql: str, build: Callable[[Row], T], order: Callable[[T], Any]
    ) -> tuple[T, ...]:
        return tuple(sorted(_load(connection, sql, table, members(connection, seq, kind), build), key=order))

    policies = load("policy", "policies", documents, _policy, _by_id)
    listing = sorted(
        (findings[number] for number in listed if number in findings),
        key=lambda finding: (finding.severity.rank, finding.first_seen, finding.key, finding.subject),
    )
    ended_findings = tuple(ended(finding) for finding in listing)
    drifts = load("drift", "drifts", DRIFT, drift_of, lambda d: (d.stack, d.logical_id, d.key))
    return Report(
        run=run,
        outcome=run.outcome or Outcome.PARTIAL,
        coverage=from_text(CoverageCounts, row[13]),
        drifts=drifts,
        evaluations=load(
            "evaluation", "evaluations", EVALUATION, evaluation_of, lambda e: (e.key, e.policy, e.judge)
        ),
        findings=ended_findings,
        causes=group(ended_findings),
        resolved=tuple(findings[number] for number in resolved if number in findings),
        new=_fingerprints(findings, members(connection, seq, "new")),
        reopened=_fingerprints(findings, members(connection, seq, "reopened")),
        gaps=_gaps(connection, seq),
        stacks=load(
            "stack", "stacks", documents, _stack, lambda s: (s.account, s.region, s.name, s.stack_id)
        ),
        policies={policy.id: policy for policy in policies},
        managed=int(row[14]),
        unmanaged=int(row[15]),
        waivers=load("waiver", "texts", "SELECT value FROM {table} WHERE id IN ({ids})", _waiver, _by_id),
        notes=(*from_text(tuple[str, ...], row[16]), *_forgotten(run)),
    )


def _forgotten(run: Run) -> tuple[str, ...]:
    if run.forgotten is None:
        return ()
    return (f"Retention has forgotten verdicts of the run {run.id}: this is not all that it saw.",)


def _stack(row: Row) -> StackState:
    return from_text(StackState, row[0])


def _policy(row: Row) -> PolicySummary:
    return from_text(PolicySummary, row[0])


def _waiver(row: Row) -> Waiver:
    return from_text(Waiver, row[0])


def _by_id(one: PolicySummary | Waiver) -> str:
    return one.id


def _fingerprints(findings: dict[int, Finding], ids: Sequence[int]) -> frozenset[str]:
    return frozenset(findings[number].fingerprint for number in ids if number in findings)


def _load(
    connection: Connection, sql: str, table: str, ids: Sequence[int], build: Callable[[Row], T]
) -> list[T]:
    return [build(row) for part in chunks(ids) for row in connection.rows(sql.format(table=table, ids=part))]


def _gaps(connection: Connection, seq: int) -> tuple[Gap, ...]:
    sql = f"SELECT {GAP_COLUMNS} FROM gaps WHERE id IN ({{ids}}) ORDER BY id"  # noqa: S608

    def build(row: Row) -> Gap:
        values: dict[str, Any] = dict(zip(GAP_COLUMNS.split(", "), row, strict=True))
        return Gap(**values | {"reason": GapReason(values["reason"])})

    return tuple(_load(connection, sql, "gaps", members(connection, seq, "gap"), build))
