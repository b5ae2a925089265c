"""Reading what runs concluded: drifts, evaluations, stacks, now or at a moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import orjson

from driftguard.history.codec import decode, encode, from_text, instant, micros
from driftguard.history.database import Connection, Row, batches, marks
from driftguard.history.port import Page, Query, VerdictCount
from driftguard.history.query import Select, page
from driftguard.history.tables.base import Part
from driftguard.history.tables.identities import key_of
from driftguard.model import Drift, Evaluation, StackState

_EVALUATION = "r.partition, r.account, r.region, r.type, r.identifier, e.policy, e.compliance, e.severity, e.judge, t.value"
_EVALUATIONS = (
    "evaluations e JOIN resources r ON r.id = e.resource_id LEFT JOIN texts t ON t.id = e.document_id"
)
DRIFT = "SELECT document, first_seen, last_seen FROM {table} WHERE id IN ({ids}) ORDER BY id"
EVALUATION = f"SELECT {_EVALUATION} FROM {_EVALUATIONS} WHERE e.id IN ({{ids}}) ORDER BY e.id"  # noqa: S608


def drift_of(row: Row) -> Drift:
    """A drift from (document, first_seen, last_seen)."""
    return replace(
        from_text(Drift, row[0]),
        first_seen=None if row[1] is None else instant(row[1]),
        last_seen=None if row[2] is None else instant(row[2]),
    )


def evaluation_of(row: Row) -> Evaluation:
    """An evaluation from the columns of `EVALUATION`."""
    data = {} if row[9] is None else orjson.loads(row[9])
    own = {"policy": row[5], "compliance": row[6], "severity": row[7], "judge": row[8]}
    return decode(Evaluation, {**data, **own, "key": encode(key_of(row[:5]))})


class ConclusionPart(Part):
    """Lists of drifts, evaluations and stacks."""

    def drifts(self, query: Query) -> Page[Drift]:
        source = "drifts d JOIN resources r ON r.id = d.resource_id"
        orders = {
            "stack": "d.stack",
            "account": "r.account",
            "type": "r.type",
            "resource": "r.identifier",
            "logical_id": "d.logical_id",
            "status": "d.status",
            "first_seen": "COALESCE(d.first_seen, 0)",
            "last_seen": "COALESCE(d.last_seen, 0)",
        }
        select = Select("d.document, d.first_seen, d.last_seen", source, "d.id", orders)
        _valid(select, query, "d")
        _place(select, query)
        select.among("d.stack", query.stacks)
        statuses = tuple(value.upper() for value in query.statuses)
        if "DRIFTED" in statuses:
            select.condition("d.drifted = 1")
            statuses = tuple(value for value in statuses if value != "DRIFTED")
        select.among("d.status", statuses)
        if query.text:
            select.holding(query.text, ("r.identifier", "d.logical_id", "d.stack", "r.type", "r.name"))
        if not any("r." in condition for condition in select.where):
            select.counted = "drifts d"
        with self.database.read() as connection:
            return page(connection, select, query, lambda rows: [drift_of(row) for row in rows])

    def evaluations(self, query: Query) -> Page[Evaluation]:
        orders = {
            "policy": "e.policy",
            "account": "r.account",
            "type": "r.type",
            "resource": "r.identifier",
            "severity": "e.severity",
            "compliance": "e.compliance",
        }
        select = Select(_EVALUATION, _EVALUATIONS, "e.id", orders)
        _valid(select, query, "e")
        _place(select, query)
        select.among("e.policy", query.subjects)
        select.among("e.compliance", tuple(value.upper() for value in query.statuses))
        select.among("e.severity", tuple(value.upper() for value in query.severities))
        select.among("r.stack", query.stacks)
        if query.text:
            select.holding(query.text, ("r.identifier", "e.policy", "r.type", "r.name"))
        if not any("r." in condition for condition in select.where):
            select.counted = "evaluations e"
        with self.database.read() as connection:
            return page(connection, select, query, lambda rows: [evaluation_of(row) for row in rows])

    def evaluation_counts(self, query: Query) -> Sequence[VerdictCount]:
        """Verdicts of now, or of a moment, counted by policy; only accounts, regions, types, identifiers and policies
        of ``query`` narrow them."""
        select = Select("", _EVALUATIONS, "e.id", {})
        _valid(select, query, "e")
        _place(select, query)
        select.among("e.policy", query.subjects)
        narrowed = query.accounts or query.regions or query.types or query.identifiers
        source = "evaluations e JOIN resources r ON r.id = e.resource_id" if narrowed else "evaluations e"
        with self.database.read() as connection:
            return _verdict_counts(connection, source, select)

    def stacks(self, query: Query) -> Page[StackState]:
        orders = {
            "name": "s.name",
            "account": "s.account",
            "region": "s.region",
            "status": "s.status",
            "drift_status": "s.drift_status",
        }
        select = Select("s.document", "stacks s", "s.id", orders)
        _valid(select, query, "s")
        select.among("s.account", query.accounts)
        select.among("s.region", query.regions)
        select.among("s.name", query.stacks)
        select.among("s.status", query.statuses)
        if query.text:
            select.holding(query.text, ("s.name", "s.stack_id"))
        with self.database.read() as connection:
            return page(
                connection, select, query, lambda rows: [from_text(StackState, row[0]) for row in rows]
            )


def _verdict_counts(connection: Connection, source: str, select: Select) -> list[VerdictCount]:
    """Resources by policy and verdict.

    Rows are counted, which an index answers in order; only where a policy has several judges, who may judge the
    same resource, its resources are told apart.
    """
    where = " AND ".join(select.where)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    judges: dict[str, set[str]] = defaultdict(set)
    sql = (
        f"SELECT e.policy, e.compliance, e.judge, COUNT(*) FROM {source} WHERE {where} "  # noqa: S608
        "GROUP BY e.policy, e.compliance, e.judge"
    )
    for policy, compliance, judge, resources in connection.rows(sql, select.parameters):
        counts[policy, compliance] += int(resources)
        judges[policy].add(judge)
    for batch in batches([policy for policy, found in judges.items() if len(found) > 1]):
        sql = (
            f"SELECT e.policy, e.compliance, COUNT(DISTINCT e.resource_id) FROM {source} WHERE {where} "  # noqa: S608
            f"AND e.policy IN ({marks(len(batch))}) GROUP BY e.policy, e.compliance"
        )
        for policy, compliance, resources in connection.rows(sql, [*select.parameters, *batch]):
            counts[policy, compliance] = int(resources)
    return [
        VerdictCount(policy=policy, compliance=compliance, resources=resources)
        for (policy, compliance), resources in sorted(counts.items())
    ]


def _valid(select: Select, query: Query, table: str) -> None:
    """Rows valid now, or at the moment that was asked for."""
    if query.at is None:
        select.condition(f"{table}.valid_to IS NULL")
        return
    moment = micros(query.at)
    select.condition(
        f"{table}.valid_from <= ? AND ({table}.valid_to IS NULL OR {table}.valid_to > ?)", moment, moment
    )


def _place(select: Select, query: Query) -> None:
    select.among("r.account", query.accounts)
    select.among("r.region", query.regions)
    select.among("r.type", query.types)
    select.among("r.identifier", query.identifiers)
