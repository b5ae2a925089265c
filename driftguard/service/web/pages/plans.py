"""Plans: what would be done, who approved it, and what came of it while it is being done."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from driftguard.model.remediation import Plan
from driftguard.service.actions import approvals, approved, unfinished
from driftguard.service.calling import Acting, Calling, Reading, Serving
from driftguard.service.desk import APPLIED
from driftguard.service.problems import NotFoundError
from driftguard.service.services import Services
from driftguard.service.web.filters import filter_of
from driftguard.service.web.forms import Form, to
from driftguard.service.web.plan_words import Tell, teller
from driftguard.service.web.render import say_of, show
from driftguard.service.web.tables import csv_response

router = APIRouter()
_COLUMNS = ("id", "author", "created_at", "expires_at", "steps", "approvals", "approved", "digest")


@router.get("/plans")
def plans(request: Request, reading: Reading, services: Serving) -> HTMLResponse:
    chosen = filter_of(request, order="-created_at")
    page = reading.plans(chosen.query())
    return show(
        request,
        "plans",
        filter=chosen,
        page=page,
        rows=[(plan, approved(plan, services), services.store.executions(plan.id)) for plan in page.items],
        can_plan=services.planner is not None,
    )


@router.get("/plans.csv")
def plans_csv(request: Request, reading: Reading, services: Serving) -> Response:
    page = reading.plans(filter_of(request, order="-created_at").query())
    rows = [
        {
            "id": plan.id,
            "author": plan.author,
            "created_at": plan.created_at.isoformat(),
            "expires_at": plan.expires_at.isoformat(),
            "steps": len(plan.steps),
            "approvals": " ".join(one.approver for one in plan.approvals),
            "approved": approved(plan, services),
            "digest": plan.digest,
        }
        for plan in page.items
    ]
    return csv_response("plans", _COLUMNS, rows)


@router.get("/plans/{plan_id}")
def plan(request: Request, plan_id: str, reading: Reading, services: Serving, who: Calling) -> HTMLResponse:
    found = _found(reading.plan(plan_id))
    open_findings = {
        one.fingerprint: one
        for step in found.steps
        for name in (step.findings or (step.finding,))
        if (one := reading.finding(name)) is not None
    }
    valid, needed = approvals(found, services)
    return show(
        request,
        "plan",
        plan=found,
        findings=open_findings,
        cures=Counter(step.cure.value for step in found.steps),
        minds=[(number, step) for number, step in enumerate(found.steps, 1) if step.mind or step.deletes],
        approved=approved(found, services),
        valid=valid,
        needed=needed,
        given=any(one.approver == who.name and one.digest == found.digest for one in found.approvals),
        own=found.author == who.name,
        expired=found.expires_at <= services.clock(),
        can_apply=services.applier is not None,
        tell=_teller(request, services),
        **_state(found, services),
    )


@router.get("/plans/{plan_id}/progress")
def progress(request: Request, plan_id: str, reading: Reading, services: Serving) -> HTMLResponse:
    """The part of the page that renews itself while the plan is applied."""
    found = _found(reading.plan(plan_id))
    return show(
        request, "plan_progress", plan=found, tell=_teller(request, services), **_state(found, services)
    )


def _teller(request: Request, services: Services) -> Tell:
    return teller(say_of(request), services.remedies, services.policies.values())


def _found(plan: Plan | None) -> Plan:
    if plan is None:
        raise NotFoundError("there is no such plan.", fix="The list shows those that you may see.")
    return plan


def _state(plan: Plan, services: Services) -> dict[str, Any]:
    """How far the plan is: its steps' executions, whether more is to come, and the run that looked afterwards."""
    executions = services.store.executions(plan.id)
    by_step = {one.step: one for one in executions}
    document = services.store.document(APPLIED, plan.id)
    kept = document.value if document else {}
    run = str(kept.get("run", ""))
    return {
        "executions": executions,
        "by_step": by_step,
        "busy": services.applying(plan.id),
        "unfinished": unfinished(plan, executions),
        "check": services.store.run(run) if run else None,
        "stopped": str(kept.get("why", "")),
    }


@router.post("/plans/{plan_id}/approve")
def approve(plan_id: str, form: Form, actions: Acting) -> RedirectResponse:
    actions.approve(
        plan_id, digest=form.get("digest", ""), reason=form.get("reason", ""), ticket=form.get("ticket", "")
    )
    return to(f"/plans/{plan_id}")


@router.post("/plans/{plan_id}/apply")
def apply(plan_id: str, form: Form, actions: Acting) -> RedirectResponse:
    actions.apply(plan_id, digest=form.get("digest", ""))
    return to(f"/plans/{plan_id}")
