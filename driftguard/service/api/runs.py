"""Runs, and starting one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from driftguard.history.port import Query
from driftguard.model import Json, Run, RunStatus, Scope
from driftguard.report.document import gap_document, run_document
from driftguard.service.api.answers import CONFLICT, NOT_MODIFIED, OnceOnly, answer, listed, narrowed
from driftguard.service.api.models import ListOf, RunDetail, RunOut, ScanIn, ScanOut
from driftguard.service.calling import Acting, Reading, Serving
from driftguard.service.problems import NotFoundError

router = APIRouter(prefix="/runs", tags=["runs"])
_Narrowed = Annotated[Query, narrowed("status", status=RunStatus)]


def _document(run: Run) -> Json:
    return {**run_document(run), "outcome": run.outcome.value if run.outcome else None}


@router.get("", response_model=ListOf[RunOut], responses=NOT_MODIFIED)
def list_runs(request: Request, reading: Reading, query: _Narrowed) -> Response:
    """Runs, newest first."""
    return listed(request, reading.runs(query), _document)


@router.post("", status_code=202, response_model=ScanOut, responses=CONFLICT)
def start_run(body: ScanIn, actions: Acting, once: OnceOnly) -> Response:
    """Start a scan."""
    accounts, regions = tuple(body.accounts), tuple(body.regions)
    return once(
        body.model_dump(),
        lambda: actions.may_scan(accounts),
        lambda: {"run": actions.scan(accounts, regions)},
        202,
    )


@router.get("/{run_id}", response_model=RunDetail, responses=NOT_MODIFIED)
def get_run(request: Request, run_id: str, reading: Reading, services: Serving) -> Response:
    """One run with what it could not look at, and how far it is while it goes on."""
    watched = services.scans.progress(run_id)
    run = reading.run(run_id)
    if run is None and watched is not None:
        # It was started a moment ago, and has not written itself down yet.
        run = Run(id=run_id, started_at=services.clock(), scope=Scope(), trigger="service")
    if run is None:
        raise NotFoundError("there is no such run.")
    progress = None
    if watched is not None:
        progress = {
            "phase": watched.phase,
            "places": watched.places,
            "done": watched.done,
            # Over all accounts, and so for nobody who reads some.
            "counts": dict(watched.counts) if reading.accounts is None else {},
        }
    gaps = [gap_document(gap) for gap in reading.gaps(run_id)]
    return answer(request, {**_document(run), "gaps": gaps, "progress": progress})
