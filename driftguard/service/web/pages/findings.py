"""Findings: filtered by the address, paged, written as CSV; and one finding with its deeds."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from driftguard.errors import InputError
from driftguard.history.port import Query
from driftguard.model import FindingKind, FindingStatus, Severity
from driftguard.report.document import known_finding_document
from driftguard.service.actions import approved
from driftguard.service.calling import Acting, Calling, Reading, Serving
from driftguard.service.problems import NotFoundError
from driftguard.service.web.filters import Filter, filter_of
from driftguard.service.web.forms import Form, to
from driftguard.service.web.items import cards
from driftguard.service.web.pages.views import views_of
from driftguard.service.web.render import show
from driftguard.service.web.tables import csv_response

router = APIRouter()
_PLANS = 100
"""How many of the newest plans a finding looks for itself in."""
_FIELDS = ("severity", "status", "kind", "account", "region", "type", "stack", "policy")
_ORDERS = ("severity", "-first_seen", "first_seen", "-last_seen", "account", "type", "resource")
_COLUMNS = (
    "severity",
    "status",
    "kind",
    "title",
    "message",
    "account",
    "region",
    "stack",
    "resource_type",
    "identifier",
    "logical_id",
    "subject",
    "first_seen",
    "last_seen",
    "waiver",
    "fingerprint",
)


def _filter(request: Request) -> Filter:
    found = filter_of(request, *_FIELDS, order="severity", defaults={"status": ("OPEN",)})
    if found.order not in _ORDERS:
        raise InputError(f"findings have no order `{found.order}`.", fix=f"Known: {', '.join(_ORDERS)}.")
    return found


@router.get("/findings")
def findings(request: Request, reading: Reading, services: Serving, who: Calling) -> HTMLResponse:
    chosen = _filter(request)
    page = reading.findings(chosen.query())
    return show(
        request,
        "findings",
        filter=chosen,
        never=reading.never(),
        items=cards(request, page.items),
        page=page,
        orders=_ORDERS,
        severities=[severity.value for severity in Severity],
        kinds=[kind.value for kind in FindingKind],
        statuses=["OPEN", *(status.value for status in FindingStatus)],
        views=views_of(services, who, "/findings"),
        command=chosen.command("driftguard", "findings", options=(*_FIELDS, "search")),
    )


@router.get("/findings.csv")
def findings_csv(request: Request, reading: Reading) -> Response:
    page = reading.findings(_filter(request).query())
    return csv_response("findings", _COLUMNS, [known_finding_document(one) for one in page.items])


@router.get("/findings/{fingerprint}")
def finding(request: Request, fingerprint: str, reading: Reading, services: Serving) -> HTMLResponse:
    found = reading.finding(fingerprint)
    if found is None:
        raise NotFoundError("there is no such finding.", fix="The list shows those that you may see.")
    waiver = next((one for one in reading.waivers() if one.id == found.waiver), None)
    policy = services.catalogue.get(found.subject) if found.kind is FindingKind.COMPLIANCE else None
    return show(
        request,
        "finding",
        item=cards(request, [found])[0],
        finding=found,
        policy=policy,
        waiver=waiver,
        can_plan=services.planner is not None,
        plans=[
            (plan, approved(plan, services), services.store.executions(plan.id))
            for plan in reading.plans(Query(limit=_PLANS)).items
            if any(fingerprint in (step.finding, *step.findings) for step in plan.steps)
        ],
    )


@router.post("/findings/{fingerprint}/waive")
def waive(fingerprint: str, form: Form, actions: Acting) -> RedirectResponse:
    days = form.get("days", "")
    actions.waive(
        fingerprint,
        owner=form.get("owner", ""),
        reason=form.get("reason", ""),
        days=int(days) if days.isascii() and days.isdecimal() and len(days) < 5 else 0,
        ticket=form.get("ticket", ""),
    )
    return to("/waivers")


@router.post("/findings/{fingerprint}/plan")
def plan(fingerprint: str, form: Form, actions: Acting) -> RedirectResponse:
    return to(f"/plans/{actions.plan((fingerprint,)).id}")
