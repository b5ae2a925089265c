"""Plans: what would be done, who approved it, and what came of it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from driftguard.service.actions import approved
from driftguard.service.calling import Acting, Calling, Reading, Serving
from driftguard.service.problems import NotFoundError
from driftguard.service.web.filters import filter_of
from driftguard.service.web.forms import Form, to
from driftguard.service.web.render import show

router = APIRouter()


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


@router.get("/plans/{plan_id}")
def plan(request: Request, plan_id: str, reading: Reading, services: Serving, who: Calling) -> HTMLResponse:
    found = reading.plan(plan_id)
    if found is None:
        raise NotFoundError("there is no such plan.", fix="The list shows those that you may see.")
    return show(
        request,
        "plan",
        plan=found,
        approved=approved(found, services),
        needed=found.required_approvals,
        executions=services.store.executions(plan_id),
        own=found.author == who.name,
        expired=found.expires_at <= services.clock(),
        can_apply=services.applier is not None,
    )


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
