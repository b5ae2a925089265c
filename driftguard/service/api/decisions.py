"""What people decide: waivers, plans and approvals; and the audit log of it all."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi import Query as Parameter
from starlette.requests import Request
from starlette.responses import Response

from driftguard.history.kept import AuditEntry
from driftguard.history.port import Page, Query
from driftguard.model import Json, Waiver
from driftguard.model.remediation import Plan, Step
from driftguard.report.document import moment, plain
from driftguard.service.access.roles import Permission, Principal
from driftguard.service.actions import approved
from driftguard.service.api.answers import CONFLICT, NOT_MODIFIED, OnceOnly, answer, listed, narrowed
from driftguard.service.api.models import (
    ApplyIn,
    ApproveIn,
    AuditOut,
    Gone,
    ListOf,
    PlanIn,
    PlanOut,
    WaiverIn,
    WaiverOut,
)
from driftguard.service.calling import Acting, Reading, Serving, everywhere
from driftguard.service.desk import APPLIED
from driftguard.service.problems import NotFoundError
from driftguard.service.services import Services

router = APIRouter(tags=["decisions"])
_Plans = Annotated[Query, narrowed("q")]


def _waiver(waiver: Waiver) -> Json:
    fields = (
        "id",
        "reason",
        "owner",
        "approver",
        "policy",
        "account",
        "region",
        "type",
        "resource",
        "path",
        "ticket",
    )
    return {name: getattr(waiver, name) for name in fields} | {
        "created_at": moment(waiver.created_at),
        "expires_at": moment(waiver.expires_at),
        "tags": list(waiver.tags),
    }


def _step(step: Step) -> Json:
    return {
        "id": step.id,
        "finding": step.finding,
        "title": step.title,
        "account": step.key.account,
        "region": step.key.region,
        "resource_type": step.key.type,
        "identifier": step.key.identifier,
        "severity": step.severity.value,
        "cure": step.cure.value,
        "action": step.action.value,
        "target": step.target,
        "parameters": plain(step.parameters),
        "expected": [
            {"path": one.path, "before": plain(one.before), "after": plain(one.after)}
            for one in step.expected
        ],
        "deletes": step.deletes,
        "why_safe": step.why_safe,
    }


def _plan(plan: Plan, services: Services) -> Json:
    applied = services.store.document(APPLIED, plan.id)
    told = applied.value if applied else {}
    return {
        "id": plan.id,
        "author": plan.author,
        "created_at": moment(plan.created_at),
        "expires_at": moment(plan.expires_at),
        "digest": plan.digest,
        "approved": approved(plan, services),
        "approvals": [
            {
                "approver": one.approver,
                "at": moment(one.at),
                "reason": one.reason,
                "digest": one.digest,
                "ticket": one.ticket,
            }
            for one in plan.approvals
        ],
        "steps": [_step(step) for step in plan.steps],
        "refused": [list(pair) for pair in plan.refused],
        "executions": [
            {
                "step": one.step,
                "status": one.status.value,
                "started_at": moment(one.started_at),
                "finished_at": moment(one.finished_at),
                "execution_id": one.execution_id,
                "detail": one.detail,
            }
            for one in services.store.executions(plan.id)
        ],
        "stopped": str(told.get("why", "")),
        "run": str(told.get("run", "")) or None,
    }


def _entry(entry: AuditEntry) -> Json:
    return {
        "sequence": entry.sequence,
        "at": moment(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "detail": dict(entry.detail),
        "digest": entry.digest,
    }


@router.get("/waivers", response_model=ListOf[WaiverOut], responses=NOT_MODIFIED)
def list_waivers(request: Request, reading: Reading) -> Response:
    """Waivers, those that ended included until they are removed."""
    found = tuple(reading.waivers())
    return listed(request, Page(items=found, total=len(found)), _waiver)


@router.post("/waivers", status_code=201, response_model=WaiverOut, responses=CONFLICT)
def create_waiver(body: WaiverIn, actions: Acting, once: OnceOnly) -> Response:
    """Accept a finding until a day."""

    def deed() -> Json:
        return _waiver(
            actions.waive(
                body.finding, owner=body.owner, reason=body.reason, days=body.days, ticket=body.ticket
            )
        )

    return once(body.model_dump(), lambda: actions.may_waive(body.finding), deed)


@router.delete("/waivers/{waiver_id}", response_model=Gone)
def delete_waiver(request: Request, waiver_id: str, actions: Acting) -> Response:
    """End a waiver at once."""
    actions.remove_waiver(waiver_id)
    return answer(request, {"status": "removed"})


@router.get("/plans", response_model=ListOf[PlanOut], responses=NOT_MODIFIED)
def list_plans(request: Request, reading: Reading, services: Serving, query: _Plans) -> Response:
    """Plans, newest first."""
    return listed(request, reading.plans(query), lambda plan: _plan(plan, services))


@router.post("/plans", status_code=201, response_model=PlanOut, responses=CONFLICT)
def create_plan(body: PlanIn, actions: Acting, services: Serving, once: OnceOnly) -> Response:
    """Make the plan that answers findings.  Nothing is changed by it."""
    findings = tuple(body.findings)
    return once(
        body.model_dump(),
        lambda: actions.may_plan(findings),
        lambda: _plan(actions.plan(findings), services),
    )


@router.get("/plans/{plan_id}", response_model=PlanOut, responses=NOT_MODIFIED)
def get_plan(request: Request, plan_id: str, reading: Reading, services: Serving) -> Response:
    """One plan with its steps, approvals and executions."""
    found = reading.plan(plan_id)
    if found is None:
        raise NotFoundError("there is no such plan.")
    return answer(request, _plan(found, services))


@router.post("/plans/{plan_id}/approvals", status_code=201, response_model=PlanOut, responses=CONFLICT)
def approve_plan(
    plan_id: str, body: ApproveIn, actions: Acting, services: Serving, once: OnceOnly
) -> Response:
    """Approve exactly the plan with this digest.  Its author may not."""

    def deed() -> Json:
        return _plan(
            actions.approve(plan_id, digest=body.digest, reason=body.reason, ticket=body.ticket), services
        )

    return once(body.model_dump(), lambda: actions.may_start(plan_id), deed)


@router.post("/plans/{plan_id}/executions", status_code=202, response_model=PlanOut, responses=CONFLICT)
def apply_plan(plan_id: str, body: ApplyIn, actions: Acting, services: Serving, once: OnceOnly) -> Response:
    """Start an approved plan, or go on with it; GET the plan to see how far it is."""

    def deed() -> Json:
        actions.apply(plan_id, digest=body.digest)
        return _plan(actions.plan_of(plan_id), services)

    return once(body.model_dump(), lambda: actions.may_start(plan_id), deed, 202)


@router.get("/audit", response_model=ListOf[AuditOut], responses=NOT_MODIFIED)
def list_audit(
    request: Request,
    services: Serving,
    _: Annotated[Principal, Depends(everywhere(Permission.AUDIT))],
    cursor: Annotated[int | None, Parameter(ge=1, le=2**63 - 1)] = None,
    limit: Annotated[int, Parameter(ge=1, le=1000)] = 100,
) -> Response:
    """The audit log, newest first."""
    entries = services.store.audit_newest(cursor, limit + 1)
    more = str(entries[limit - 1].sequence) if len(entries) > limit else None
    return listed(request, Page(items=tuple(entries[:limit]), cursor=more), _entry)
