"""Findings: their present row, and what they were after each run that changed them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from driftguard.history.codec import from_text, iso, text
from driftguard.history.database import Connection, Row, batches, chunks, first, marks
from driftguard.history.port import Page, Query
from driftguard.history.query import Select, contains, page
from driftguard.history.tables.base import Part
from driftguard.history.tables.facts import next_id
from driftguard.history.tables.newer import Newer
from driftguard.model import Finding, FindingStatus, Severity

_COLUMNS = (
    "id, fingerprint, kind, partition, account, region, type, identifier, subject, severity, severity_rank, "
    "status, title, message, stack, logical_id, first_seen, last_seen, resolved_at, occurrences, flapping, "
    "waiver, cause, changed_by, document"
)
_REOPEN_DAYS = 180
_ORDERS = {
    "severity": "severity_rank",
    "first_seen": "first_seen",
    "last_seen": "last_seen",
    "account": "account",
    "type": "type",
    "resource": "identifier",
    "status": "status",
    "subject": "subject",
}
_TODAY = {"stack": "stack", "severity": "severity", "first_seen": "first_seen", "status": "findings.status"}


def write_findings(
    connection: Connection, findings: Iterable[Finding], run_seq: int, at: datetime
) -> dict[str, int]:
    """Write findings; answers the row id of each fingerprint.

    What a later look saw stays the present; the run's own version says what it saw itself.
    """
    newer = Newer.than(connection, run_seq)
    listed = list({finding.fingerprint: finding for finding in findings}.values())
    known: dict[str, tuple[int, str]] = {}
    for batch in batches([finding.fingerprint for finding in listed]):
        sql = (
            "SELECT fingerprint, id, document "  # noqa: S608
            f"FROM findings WHERE fingerprint IN ({marks(len(batch))})"
        )
        known.update((row[0], (row[1], row[2])) for row in connection.rows(sql, batch))
    number = next_id(connection, "findings")
    ids: dict[str, int] = {}
    updates, inserts, versions = [], [], []
    over = newer.over(listed)
    later = newer.unwritten(dict(known.values()), run_seq)
    for row, (document, seq, moment) in later.items():
        versions.append((row, seq, moment, from_text(Finding, document).status.value, document))
    for finding in listed:
        before = known.get(finding.fingerprint)
        ids[finding.fingerprint] = row = number if before is None else before[0]
        overtaken = row in newer.findings
        present = finding
        if finding.fingerprint in over and not overtaken:
            since, ended = over[finding.fingerprint]
            present = replace(finding, status=FindingStatus.RESOLVED, resolved_at=ended)
            versions.append((row, since, iso(ended), present.status.value, text(present)))
        if before is None:
            inserts.append(_row(row, present))
            number += 1
        elif not overtaken:
            updates.append((*_row(row, present)[1:], row))
        if before is None or overtaken or _lasting(from_text(Finding, before[1])) != _lasting(finding):
            versions.append((row, run_seq, iso(at), finding.status.value, text(finding)))
    sets = ", ".join(f"{name} = ?" for name in _COLUMNS.split(", ")[1:])
    connection.many(f"UPDATE findings SET {sets} WHERE id = ?", updates)  # noqa: S608
    connection.many(f"INSERT INTO findings ({_COLUMNS}) VALUES ({marks(25)})", inserts)  # noqa: S608
    connection.many(
        "INSERT INTO finding_versions (finding_id, run_seq, at, status, document) VALUES (?, ?, ?, ?, ?)",
        versions,
    )
    return ids


def _lasting(finding: Finding) -> Finding:
    """A finding without what every run renews."""
    return replace(finding, last_seen=finding.first_seen, last_run="")


def _row(number: int, finding: Finding) -> tuple[Any, ...]:
    key = finding.key
    return (
        number,
        finding.fingerprint,
        finding.kind.value,
        key.partition,
        key.account,
        key.region,
        key.type,
        key.identifier,
        finding.subject,
        finding.severity.value,
        finding.severity.rank,
        finding.status.value,
        finding.title,
        finding.message,
        finding.stack,
        finding.logical_id,
        iso(finding.first_seen),
        iso(finding.last_seen),
        None if finding.resolved_at is None else iso(finding.resolved_at),
        finding.occurrences,
        int(finding.flapping),
        finding.waiver,
        finding.cause,
        finding.changed_by.principal if finding.changed_by else None,
        text(finding),
    )


def findings_of_run(connection: Connection, ids: Sequence[int], run_seq: int) -> dict[int, Finding]:
    """Findings by row id, as they were after a run."""
    found: dict[int, Finding] = {}
    for part in chunks(ids):
        sql = (
            "SELECT v.finding_id, v.document FROM finding_versions v JOIN (SELECT finding_id, "  # noqa: S608
            f"MAX(run_seq) AS newest FROM finding_versions WHERE run_seq <= {run_seq} AND finding_id IN ({part}) "
            "GROUP BY finding_id) n ON n.finding_id = v.finding_id AND n.newest = v.run_seq"
        )
        found.update((row[0], from_text(Finding, row[1])) for row in connection.rows(sql))
    return found


class FindingPart(Part):
    """Reading findings, and the one change that people's channels make to them."""

    def live_findings(self) -> Sequence[Finding]:
        since = iso(datetime.now(UTC) - timedelta(days=_REOPEN_DAYS))
        with self.database.read() as connection:
            rows = connection.rows(
                "SELECT document FROM findings WHERE status <> 'RESOLVED' OR resolved_at >= ? "
                "ORDER BY severity_rank, id",
                (since,),
            )
        return [from_text(Finding, row[0]) for row in rows]

    def finding(self, fingerprint: str) -> Finding | None:
        with self.database.read() as connection:
            row = first(
                connection.rows("SELECT document FROM findings WHERE fingerprint = ?", (fingerprint,))
            )
        return from_text(Finding, row[0]) if row else None

    def findings(self, query: Query) -> Page[Finding]:
        select = _select(query, self.database.dialect)
        with self.database.read() as connection:
            if query.at is not None:
                return page(
                    connection, select, query, lambda rows: [from_text(Finding, row[0]) for row in rows]
                )
            # The page is chosen among row ids in an index; only then are its wide rows read.
            select.columns = "id"
            return page(connection, select, query, lambda rows: _documents(connection, rows))

    def finding_counts(self, query: Query) -> Mapping[str, int]:
        select = _select(query, self.database.dialect)
        severity = "severity" if query.at is None else _then("severity", self.database.dialect)
        sql = (
            f"SELECT {severity}, COUNT(*) FROM {select.source} "  # noqa: S608
            f"WHERE {' AND '.join(select.where) or '1 = 1'} GROUP BY {severity}"
        )
        with self.database.read() as connection:
            return {row[0]: int(row[1]) for row in connection.rows(sql, select.parameters)}

    def mark_notified(self, fingerprints: Iterable[str]) -> None:
        with self.database.write() as connection:
            for fingerprint in fingerprints:
                row = first(
                    connection.rows(
                        "SELECT document FROM findings WHERE fingerprint = ? AND status = 'NEW'",
                        (fingerprint,),
                    )
                )
                if row:
                    notified = replace(from_text(Finding, row[0]), status=FindingStatus.NOTIFIED)
                    connection.run(
                        "UPDATE findings SET status = ?, document = ? WHERE fingerprint = ?",
                        (notified.status.value, text(notified), fingerprint),
                    )


def _documents(connection: Connection, rows: Sequence[Row]) -> list[Finding]:
    """The findings of ``rows`` (their ids stand first), in the same order."""
    found: dict[int, str] = {}
    for part in chunks([int(row[0]) for row in rows]):
        found.update(connection.rows(f"SELECT id, document FROM findings WHERE id IN ({part})"))  # noqa: S608
    return [from_text(Finding, found[int(row[0])]) for row in rows]


def _select(query: Query, dialect: str) -> Select:
    if query.at is not None:
        return _select_at(query, dialect)
    select = Select("document", "findings", "id", _ORDERS)
    _filter(select, query)
    if query.text:
        select.condition(
            "findings.id IN (SELECT finding_id FROM finding_texts WHERE text LIKE ? ESCAPE '!')",
            contains(query.text),
        )
    return select


def _then(name: str, dialect: str) -> str:
    """What a finding's document says: the columns beside it tell of today.  What it leaves out is empty."""
    document = "finding_versions.document"
    value = (
        f"json_extract({document}, '$.{name}')"
        if dialect == "sqlite"
        else f"({document}::jsonb ->> '{name}')"
    )
    return f"COALESCE({value}, '')"


def _select_at(query: Query, dialect: str) -> Select:
    """Findings as the newest run before a moment left them."""
    assert query.at is not None
    moment = iso(query.at)
    source = (
        "findings JOIN finding_versions ON finding_versions.finding_id = findings.id AND "
        "finding_versions.run_seq = (SELECT MAX(x.run_seq) FROM finding_versions x "
        "WHERE x.finding_id = findings.id AND x.at <= ?)"
    )
    own = {
        name: _then(name, dialect)
        for name in ("severity", "title", "message", "stack", "logical_id", "first_seen", "last_seen")
    }
    ranks = " ".join(f"WHEN '{severity.value}' THEN {severity.rank}" for severity in Severity)
    orders = _ORDERS | {
        "severity": f"CASE {own['severity']} {ranks} END",
        "first_seen": own["first_seen"],
        "last_seen": own["last_seen"],
        "status": "finding_versions.status",
    }
    select = Select("finding_versions.document", source, "findings.id", orders, [], [moment])
    _filter(select, query, own | {"status": "finding_versions.status"})
    if query.text:
        parts = (own["title"], "identifier", own["logical_id"], own["stack"], "subject", own["message"])
        joined = " || ' ' || ".join(parts)
        select.condition(f"LOWER({joined}) LIKE ? ESCAPE '!'", contains(query.text))
    return select


def _filter(select: Select, query: Query, own: Mapping[str, str] = _TODAY) -> None:
    """The conditions of ``query``; ``own`` are the columns of what may change in a finding's life."""
    select.among("account", query.accounts)
    select.among("region", query.regions)
    select.among("type", query.types)
    select.among(own["stack"], query.stacks)
    select.among(own["severity"], tuple(value.upper() for value in query.severities))
    select.among("kind", tuple(value.upper() for value in query.kinds))
    select.among("subject", query.subjects)
    select.among("identifier", query.identifiers)
    if query.since is not None:
        select.condition(f"{own['first_seen']} >= ?", iso(query.since))
    statuses = tuple(value.upper() for value in query.statuses)
    column = own["status"]
    if statuses == ("OPEN",):
        # Written out, so that the index of open findings is known to hold them all.
        select.condition(f"{column} IN ('NEW', 'NOTIFIED')")
        statuses = ()
    elif "OPEN" in statuses:
        statuses = tuple(dict.fromkeys([*(s for s in statuses if s != "OPEN"), "NEW", "NOTIFIED"]))
    select.among(column, statuses)
