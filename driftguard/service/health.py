"""Whether the process lives, whether it can work, and its numbers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from driftguard.errors import DriftguardError
from driftguard.history.port import Query
from driftguard.service.access.roles import Permission, Principal
from driftguard.service.calling import Serving, everywhere
from driftguard.service.metrics import exposition

router = APIRouter(include_in_schema=False)
_RUNS = 20


@router.get("/healthz")
def healthz() -> JSONResponse:
    """The process answers."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz")
def readyz(services: Serving) -> JSONResponse:
    """The store answers."""
    try:
        newest = services.store.runs(Query(limit=_RUNS)).items
    except DriftguardError:
        return JSONResponse({"status": "the store does not answer"}, 503)
    # The newest may be under way.
    finished = next((run.finished_at for run in newest if run.finished_at), None)
    age = None if finished is None else round((services.clock() - finished).total_seconds())
    return JSONResponse({"status": "ready", "last_run_age_seconds": age})


def _metrics_reader(request: Request) -> Principal | None:
    """Numbers about the whole estate: for those who read all of it, or for everybody if the settings say so."""
    services = request.app.state.services
    return None if services.settings.web.metrics_open else everywhere(Permission.READ)(request)


@router.get("/metrics")
def metrics(services: Serving, _: Annotated[Principal | None, Depends(_metrics_reader)]) -> Response:
    """For Prometheus."""
    return Response(exposition(services), media_type="text/plain; version=0.0.4; charset=utf-8")
