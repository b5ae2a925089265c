"""Runs: what was looked at and when, one run with its gaps, and a scan that is started and watched here."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from driftguard.model import RunStatus
from driftguard.model.trend import TrendPoint
from driftguard.report.document import run_document
from driftguard.report.gaps import grouped
from driftguard.service.access.scoped import ScopedStore
from driftguard.service.calling import Acting, Reading, Serving
from driftguard.service.problems import NotFoundError
from driftguard.service.services import Services
from driftguard.service.web.filters import filter_of
from driftguard.service.web.forms import Form, to
from driftguard.service.web.render import say_of, show
from driftguard.service.web.tables import csv_response

router = APIRouter()
_SLOTS = 15
_COLUMNS = ("id", "status", "outcome", "started_at", "finished_at", "trigger", "error")


@router.get("/runs")
def runs(request: Request, reading: Reading, services: Serving) -> HTMLResponse:
    chosen = filter_of(request, "status", order="-started_at")
    page = reading.runs(chosen.query())
    return show(
        request,
        "runs",
        filter=chosen,
        page=page,
        statuses=[status.value for status in RunStatus],
        upcoming=services.upcoming(),
        never=not page.items and not chosen.narrowed,
        points={point.run: point for point in _points(reading, services, 60)},
        slots=services.store.slots(limit=_SLOTS),
    )


@router.get("/runs.csv")
def runs_csv(request: Request, reading: Reading) -> Response:
    page = reading.runs(filter_of(request, "status", order="-started_at").query())
    return csv_response(
        "runs",
        _COLUMNS,
        [{**run_document(one), "outcome": one.outcome.value if one.outcome else ""} for one in page.items],
    )


@router.post("/runs")
def start(form: Form, actions: Acting) -> RedirectResponse:
    account = form.get("account", "").strip()
    return to(f"/runs/{actions.scan((account,) if account else ())}")


@router.get("/runs/{run_id}")
def run(request: Request, run_id: str, reading: Reading, services: Serving) -> HTMLResponse:
    return _run(request, run_id, reading, services, "run")


@router.get("/runs/{run_id}/progress")
def progress(request: Request, run_id: str, reading: Reading, services: Serving) -> HTMLResponse:
    """The part of the page that renews itself while the run goes on."""
    return _run(request, run_id, reading, services, "run_progress")


def _run(request: Request, run_id: str, reading: Reading, services: Serving, template: str) -> HTMLResponse:
    found = reading.run(run_id)
    watched = services.scans.progress(run_id)
    if found is None and watched is None:
        raise NotFoundError("there is no such run.")
    gaps = grouped(reading.gaps(run_id) if found else (), say_of(request))
    point = next((one for one in _points(reading, services, 400) if one.run == run_id), None)
    return show(
        request,
        template,
        run=found,
        run_id=run_id,
        watched=watched,
        counts=watched.counts if watched and reading.accounts is None else {},
        gaps=gaps,
        point=point,
    )


def _points(reading: ScopedStore, services: Services, most: int) -> Sequence[TrendPoint]:
    """The numbers of the newest runs; over all accounts, and so for nobody who reads some."""
    return services.store.trends(limit=most) if reading.accounts is None else ()
