"""Stacks, and how much of the estate they declare."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from driftguard.history.port import Query
from driftguard.service.calling import Reading
from driftguard.service.web.filters import filter_of
from driftguard.service.web.render import show

router = APIRouter()


@router.get("/stacks")
def stacks(request: Request, reading: Reading) -> HTMLResponse:
    chosen = filter_of(request, "account", "region", "stack", order="name")
    unmanaged = reading.drifts(Query(statuses=("UNMANAGED",), limit=1)).total or 0
    everything = reading.drifts(Query(limit=1)).total or 0
    return show(
        request,
        "stacks",
        filter=chosen,
        page=reading.stacks(chosen.query()),
        orders=("name", "account", "region", "status", "drift_status"),
        managed=everything - unmanaged,
        unmanaged=unmanaged,
        command=chosen.command("driftguard", "stacks", options=("account", "region")),
    )
