"""Drifts: every resource that was compared, drifted ones first asked for."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from driftguard.model import DriftStatus
from driftguard.report.document import drift_document
from driftguard.service.calling import Calling, Reading, Serving
from driftguard.service.web.filters import Filter, filter_of
from driftguard.service.web.pages.views import views_of
from driftguard.service.web.render import show
from driftguard.service.web.tables import csv_response

router = APIRouter()
_COLUMNS = (
    "status", "account", "region", "stack", "logical_id", "physical_id", "resource_type", "native_status",
    "disagreement", "first_seen", "last_seen",
)  # fmt: skip


def _filter(request: Request) -> Filter:
    fields = ("status", "account", "region", "type", "stack")
    return filter_of(request, *fields, order="stack", defaults={"status": ("DRIFTED",)})


@router.get("/drifts")
def drifts(request: Request, reading: Reading, services: Serving, who: Calling) -> HTMLResponse:
    chosen = _filter(request)
    return show(
        request,
        "drifts",
        filter=chosen,
        never=reading.never(),
        page=reading.drifts(chosen.query()),
        views=views_of(services, who, "/drifts"),
        statuses=["DRIFTED", *(status.value for status in DriftStatus)],
        orders=("stack", "account", "type", "resource", "status", "-first_seen"),
        command=chosen.command(
            "driftguard", "drift", options=("status", "account", "region", "type", "stack", "search")
        ),
    )


@router.get("/drifts.csv")
def drifts_csv(request: Request, reading: Reading) -> Response:
    page = reading.drifts(_filter(request).query())
    return csv_response("drifts", _COLUMNS, [drift_document(one) for one in page.items])
