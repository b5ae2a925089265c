"""Waivers: what was accepted, by whom, and until when."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from driftguard.service.calling import Acting, Reading, Serving
from driftguard.service.web.forms import Form, to
from driftguard.service.web.render import show
from driftguard.service.web.tables import csv_response

router = APIRouter()
_SOON = timedelta(days=14)
_COLUMNS = (
    "id", "policy", "account", "region", "type", "resource", "path", "reason", "owner", "approver", "ticket",
    "expires_at",
)  # fmt: skip


@router.get("/waivers.csv")
def waivers_csv(reading: Reading) -> Response:
    rows = [
        {
            **{name: getattr(one, name) for name in _COLUMNS if name != "expires_at"},
            "expires_at": one.expires_at.isoformat(),
        }
        for one in reading.waivers()
    ]
    return csv_response("waivers", _COLUMNS, rows)


@router.get("/waivers")
def waivers(request: Request, reading: Reading, services: Serving) -> HTMLResponse:
    now = services.clock()
    rows = [
        (one, "over" if one.expires_at <= now else "soon" if one.expires_at <= now + _SOON else "holds")
        for one in sorted(reading.waivers(), key=lambda one: (one.expires_at, one.id))
    ]
    return show(request, "waivers", rows=rows)


@router.post("/waivers/{waiver_id}/remove")
def remove(waiver_id: str, form: Form, actions: Acting) -> RedirectResponse:
    actions.remove_waiver(waiver_id)
    return to("/waivers")
