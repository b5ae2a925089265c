"""What people decided: waivers, plans, approvals, executions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from driftguard.errors import StoreError
from driftguard.history.codec import encode, from_iso, from_text, iso, text
from driftguard.history.database import Connection, Row, first
from driftguard.history.port import Attestation, Page, Query
from driftguard.history.query import Select, page
from driftguard.history.tables.audit import append
from driftguard.history.tables.base import Part
from driftguard.model import Waiver
from driftguard.model.remediation import Approval, Execution, ExecutionStatus, Plan

_EXECUTION = "plan_id, step, token, status, started_at, finished_at, execution_id, detail, state_hash"


_WAIVERS_AT = (
    "SELECT document FROM (SELECT id, document FROM waivers WHERE (removed_at IS NULL OR removed_at > ?) "
    "AND (COALESCE(since, created_at) IS NULL OR COALESCE(since, created_at) <= ?) UNION ALL "
    "SELECT id, document FROM past_waivers WHERE ended_at > ? AND (since IS NULL OR since <= ?)) found ORDER BY id"
)


class DecisionPart(Part):
    """Waivers, plans and what came of them.  Every decision writes an audit entry beside it."""

    # -- waivers
    def waivers(self, at: datetime | None = None) -> Sequence[Waiver]:
        sql, moment = "SELECT document FROM waivers WHERE removed_at IS NULL ORDER BY id", ""
        if at is not None:
            sql, moment = _WAIVERS_AT, iso(at)
        with self.database.read() as connection:
            rows = connection.rows(sql, (moment,) * sql.count("?"))
        return [from_text(Waiver, row[0]) for row in rows]

    def put_waiver(self, waiver: Waiver, *, actor: str) -> None:
        with self.database.write() as connection:
            since = _end_waiver(connection, waiver)
            connection.run(
                "INSERT INTO waivers (id, reason, owner, approver, created_at, expires_at, document, since) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    waiver.id,
                    waiver.reason,
                    waiver.owner,
                    waiver.approver,
                    None if waiver.created_at is None else iso(waiver.created_at),
                    iso(waiver.expires_at),
                    text(waiver),
                    since,
                ),
            )
            append(connection, actor, "waiver.put", waiver.id, encode(waiver))

    def remove_waiver(self, waiver_id: str, *, actor: str) -> None:
        with self.database.write() as connection:
            touched = connection.run(
                "UPDATE waivers SET removed_at = ? WHERE id = ? AND removed_at IS NULL",
                (iso(datetime.now(UTC)), waiver_id),
            )
            if not touched:
                raise StoreError(f"there is no waiver {waiver_id}.", fix="`driftguard waivers` lists them.")
            append(connection, actor, "waiver.remove", waiver_id, {})

    # -- attestations
    def attestations(self, framework: str = "") -> Sequence[Attestation]:
        with self.database.read() as connection:
            rows = connection.rows(
                "SELECT id, framework, control, actor, at, statement, reference, expires_at FROM attestations "
                "WHERE ? = '' OR LOWER(framework) = LOWER(?) ORDER BY at, id",
                (framework, framework),
            )
        return [
            Attestation(
                id=row[0],
                framework=row[1],
                control=row[2],
                actor=row[3],
                at=from_iso(row[4]),
                statement=row[5],
                reference=row[6],
                expires_at=None if row[7] is None else from_iso(row[7]),
            )
            for row in rows
        ]

    def put_attestation(self, attestation: Attestation) -> None:
        with self.database.write() as connection:
            connection.run(
                "INSERT INTO attestations (id, framework, control, actor, at, expires_at, statement, reference) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    attestation.id,
                    attestation.framework,
                    attestation.control,
                    attestation.actor,
                    iso(attestation.at),
                    None if attestation.expires_at is None else iso(attestation.expires_at),
                    attestation.statement,
                    attestation.reference,
                ),
            )
            append(connection, attestation.actor, "attestation.put", attestation.id, encode(attestation))

    # -- plans
    def put_plan(self, plan: Plan) -> None:
        with self.database.write() as connection:
            row = first(connection.rows("SELECT digest FROM plans WHERE id = ?", (plan.id,)))
            if row is not None:
                if row[0] == plan.digest:
                    return
                raise StoreError(f"the plan {plan.id} exists with other steps.", fix="Make a new plan.")
            connection.run(
                "INSERT INTO plans (id, author, created_at, expires_at, digest, steps, document) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    plan.id,
                    plan.author,
                    iso(plan.created_at),
                    iso(plan.expires_at),
                    plan.digest,
                    len(plan.steps),
                    text(replace(plan, approvals=())),
                ),
            )
            append(
                connection,
                plan.author,
                "plan.put",
                plan.id,
                {"digest": plan.digest, "steps": len(plan.steps)},
            )
            for approval in plan.approvals:
                _approve(connection, plan.id, approval)

    def plan(self, plan_id: str) -> Plan | None:
        with self.database.read() as connection:
            row = first(connection.rows("SELECT document FROM plans WHERE id = ?", (plan_id,)))
            return _plan(connection, row) if row else None

    def plans(self, query: Query) -> Page[Plan]:
        select = Select("document", "plans", "id", {"created_at": "created_at"})
        if query.text:
            select.holding(query.text, ("id", "author"))
        newest = query if query.order else replace(query, order="-created_at")
        with self.database.read() as connection:
            return page(connection, select, newest, lambda rows: [_plan(connection, row) for row in rows])

    def approve_plan(self, plan_id: str, approval: Approval) -> None:
        with self.database.write() as connection:
            row = first(connection.rows("SELECT digest FROM plans WHERE id = ?", (plan_id,)))
            if row is None:
                raise StoreError(
                    f"there is no plan {plan_id}.", fix="`driftguard remediate status` lists plans."
                )
            if row[0] != approval.digest:
                raise StoreError(
                    f"the plan {plan_id} is not the one that was approved (its digest differs).",
                    fix="Look at the plan again and approve it as it is.",
                )
            _approve(connection, plan_id, approval)

    # -- executions
    def put_execution(self, execution: Execution) -> bool:
        with self.database.write() as connection:
            if connection.rows("SELECT 1 FROM executions WHERE token = ?", (execution.token,)):
                return False
            ordinal = connection.rows("SELECT COUNT(*) FROM executions WHERE plan_id = ?", (execution.plan,))[
                0
            ][0]
            connection.run(
                f"INSERT INTO executions ({_EXECUTION}, ordinal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (*_execution_row(execution), int(ordinal)),
            )
            append(connection, "driftguard", "execution.start", execution.token, encode(execution))
        return True

    def update_execution(self, execution: Execution) -> None:
        with self.database.write() as connection:
            touched = connection.run(
                "UPDATE executions SET plan_id = ?, step = ?, token = ?, status = ?, started_at = ?, "
                "finished_at = ?, execution_id = ?, detail = ?, state_hash = ? WHERE token = ?",
                (*_execution_row(execution), execution.token),
            )
            if not touched:
                raise StoreError(f"the step {execution.step} was never started.", fix="Start it first.")
            append(connection, "driftguard", "execution.update", execution.token, encode(execution))

    def executions(self, plan_id: str) -> Sequence[Execution]:
        with self.database.read() as connection:
            rows = connection.rows(
                f"SELECT {_EXECUTION} FROM executions WHERE plan_id = ? ORDER BY ordinal",  # noqa: S608
                (plan_id,),
            )
        return [_execution(row) for row in rows]

    def execution(self, execution_id: str) -> Execution | None:
        if not execution_id:
            return None
        sql = f"SELECT {_EXECUTION} FROM executions WHERE execution_id = ? LIMIT 1"  # noqa: S608
        with self.database.read() as connection:
            rows = connection.rows(sql, (execution_id,))
        return _execution(rows[0]) if rows else None


def _end_waiver(connection: Connection, waiver: Waiver) -> str | None:
    """Keep what was written under the waiver's id, with its end; answers since when the new one holds, if that is
    not since it was made."""
    sql = "SELECT created_at, COALESCE(since, created_at), removed_at, document FROM waivers WHERE id = ?"
    known = first(connection.rows(sql, (waiver.id,)))
    if known is None:
        return None
    made, since, removed, document = known
    begin = None if waiver.created_at is None else iso(waiver.created_at)
    # Who renews one and leaves the day on which it was made as it is, has not renewed it on that day.
    own = begin is not None and (made is None or begin > made) and (since is None or begin > since)
    start = begin if own and begin is not None else iso(datetime.now(UTC))
    connection.run(
        "INSERT INTO past_waivers (id, since, ended_at, document) VALUES (?, ?, ?, ?)",
        (waiver.id, since, start if removed is None else min(start, removed), document),
    )
    connection.run("DELETE FROM waivers WHERE id = ?", (waiver.id,))
    return None if own else start


def _approve(connection: Connection, plan_id: str, approval: Approval) -> None:
    connection.run(
        "INSERT INTO approvals (plan_id, approver, at, reason, digest, ticket) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (plan_id, approver) DO NOTHING",
        (plan_id, approval.approver, iso(approval.at), approval.reason, approval.digest, approval.ticket),
    )
    append(connection, approval.approver, "plan.approve", plan_id, encode(approval))


def _plan(connection: Connection, row: Row) -> Plan:
    plan = from_text(Plan, row[0])
    rows = connection.rows(
        "SELECT approver, at, reason, digest, ticket FROM approvals WHERE plan_id = ? ORDER BY at, approver",
        (plan.id,),
    )
    approvals = tuple(
        Approval(approver=r[0], at=from_iso(r[1]), reason=r[2], digest=r[3], ticket=r[4]) for r in rows
    )
    return replace(plan, approvals=approvals)


def _execution_row(execution: Execution) -> tuple[str | None, ...]:
    return (
        execution.plan,
        execution.step,
        execution.token,
        execution.status.value,
        None if execution.started_at is None else iso(execution.started_at),
        None if execution.finished_at is None else iso(execution.finished_at),
        execution.execution_id,
        execution.detail,
        execution.state_hash,
    )


def _execution(row: Row) -> Execution:
    return Execution(
        plan=row[0],
        step=row[1],
        token=row[2],
        status=ExecutionStatus(row[3]),
        started_at=None if row[4] is None else from_iso(row[4]),
        finished_at=None if row[5] is None else from_iso(row[5]),
        execution_id=row[6],
        detail=row[7],
        state_hash=row[8],
    )
