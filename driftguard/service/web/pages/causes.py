"""Root causes: the findings that one act explains, together."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from driftguard.history.causes import group
from driftguard.history.port import Query
from driftguard.model import Cause, Finding
from driftguard.report.causes import cause_rows
from driftguard.service.access.scoped import ScopedStore
from driftguard.service.calling import Reading, Serving
from driftguard.service.problems import NotFoundError
from driftguard.service.web.items import cards
from driftguard.service.web.render import say_of, show

router = APIRouter()
_MOST = 1000
"""How many of the worst findings are grouped; the page says when there are more."""
_SHOWN = 100


@router.get("/causes")
def causes(request: Request, reading: Reading, services: Serving) -> HTMLResponse:
    found, findings, total = _causes(reading)
    rows = cause_rows(found, {one.fingerprint for one in findings}, say_of(request), services.policies)
    return show(
        request,
        "causes",
        never=reading.never(),
        rows=rows[:_SHOWN],
        more=max(0, len(rows) - _SHOWN),
        looked_at=len(findings),
        total=total,
    )


@router.get("/causes/{cause_id}")
def cause(request: Request, cause_id: str, reading: Reading, services: Serving) -> HTMLResponse:
    found, findings, _ = _causes(reading)
    one = next((cause for cause in found if cause.id == cause_id), None)
    if one is None:
        raise NotFoundError("there is no such cause any more.", fix="The list shows those of now.")
    members = set(one.fingerprints)
    listed = cards(request, [finding for finding in findings if finding.fingerprint in members])
    (row,) = cause_rows([one], members, say_of(request), services.policies)
    return show(request, "cause", cause=one, row=row, items=listed)


def _causes(reading: ScopedStore) -> tuple[tuple[Cause, ...], Sequence[Finding], int]:
    page = reading.findings(Query(statuses=("OPEN",), limit=_MOST))
    return group(page.items), page.items, page.total or 0
