"""The audit log, newest first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from driftguard.report.view import shown
from driftguard.service.access.roles import Permission, Principal
from driftguard.service.calling import Serving, everywhere
from driftguard.service.web.render import show
from driftguard.service.web.tables import csv_response

router = APIRouter()
_SHOWN = 100
_COLUMNS = ("sequence", "at", "actor", "action", "subject", "detail", "digest")
Auditor = Annotated[Principal, Depends(everywhere(Permission.AUDIT))]
Before = Annotated[int | None, Query(ge=1, le=2**63 - 1)]


@router.get("/audit.csv")
def audit_csv(services: Serving, _: Auditor, before: Before = None) -> Response:
    rows = [
        {
            "sequence": one.sequence,
            "at": one.at.isoformat(),
            "actor": one.actor,
            "action": one.action,
            "subject": one.subject,
            "detail": shown(dict(one.detail), 4000),
            "digest": one.digest,
        }
        for one in services.store.audit_newest(before, _SHOWN)
    ]
    return csv_response("audit", _COLUMNS, rows)


@router.get("/audit")
def audit(
    request: Request,
    services: Serving,
    _: Auditor,
    before: Before = None,
) -> HTMLResponse:
    entries = services.store.audit_newest(before, _SHOWN + 1)
    more = len(entries) > _SHOWN
    return show(
        request, "audit", entries=entries[:_SHOWN], before=entries[_SHOWN - 1].sequence if more else None
    )
