"""Stacks, and how much of the estate they declare."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from driftguard.history.port import Query
from driftguard.report.document import stack_document
from driftguard.service.calling import Reading
from driftguard.service.web.filters import Filter, filter_of
from driftguard.service.web.render import show
from driftguard.service.web.tables import csv_response

router = APIRouter()


_COLUMNS = (
    "name",
    "account",
    "region",
    "status",
    "drift_status",
    "resources",
    "last_drift_check",
    "stack_id",
)


def _filter(request: Request) -> Filter:
    return filter_of(request, "account", "region", "stack", order="name")


@router.get("/stacks.csv")
def stacks_csv(request: Request, reading: Reading) -> Response:
    page = reading.stacks(_filter(request).query())
    return csv_response("stacks", _COLUMNS, [stack_document(one) for one in page.items])


@router.get("/stacks")
def stacks(request: Request, reading: Reading) -> HTMLResponse:
    chosen = _filter(request)
    unmanaged = reading.drifts(Query(statuses=("UNMANAGED",), limit=1)).total or 0
    everything = reading.drifts(Query(limit=1)).total or 0
    return show(
        request,
        "stacks",
        filter=chosen,
        never=reading.never(),
        page=reading.stacks(chosen.query()),
        orders=("name", "account", "region", "status", "drift_status"),
        managed=everything - unmanaged,
        unmanaged=unmanaged,
        command=chosen.command("driftguard", "stacks", options=("account", "region", "stack", "search")),
    )
