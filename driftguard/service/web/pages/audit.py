"""The audit log, newest first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse

from driftguard.service.access.roles import Permission, Principal
from driftguard.service.calling import Serving, everywhere
from driftguard.service.web.render import show

router = APIRouter()
_SHOWN = 100


@router.get("/audit")
def audit(
    request: Request,
    services: Serving,
    _: Annotated[Principal, Depends(everywhere(Permission.AUDIT))],
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
) -> HTMLResponse:
    entries = services.store.audit_newest(before, _SHOWN + 1)
    more = len(entries) > _SHOWN
    return show(
        request, "audit", entries=entries[:_SHOWN], before=entries[_SHOWN - 1].sequence if more else None
    )
