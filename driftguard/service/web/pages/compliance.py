"""Compliance: frameworks, their controls, the policies below, the resources below those; the score over time."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from driftguard.history.port import Query
from driftguard.report.charts import charts
from driftguard.rules.frameworks import Framework
from driftguard.service.calling import Reading, Serving
from driftguard.service.problems import NotFoundError
from driftguard.service.services import Services
from driftguard.service.web.render import say_of, show
from driftguard.service.web.scores import Tally, control_rows, tallies, whole

router = APIRouter()


@router.get("/compliance")
def frameworks(request: Request, reading: Reading, services: Serving) -> HTMLResponse:
    by_policy = tallies(reading.evaluation_counts(Query()), services.catalogue)
    rows = [(framework, whole(framework, by_policy)) for framework in services.frameworks.frameworks]
    return show(request, "compliance", rows=rows, judged=bool(by_policy))


@router.get("/compliance/{name}")
def framework(request: Request, name: str, reading: Reading, services: Serving) -> HTMLResponse:
    found = _framework(services, name)
    by_policy = tallies(reading.evaluation_counts(Query()), services.catalogue)
    rows = control_rows(found, by_policy, services.store.attestations(found.id), services.clock())
    points = services.store.trends(limit=365) if reading.accounts is None else ()
    kept = [
        replace(
            point,
            compliance={found.id: point.compliance[found.id]},
            open={},
            mean_hours_in_drift=None,
            coverage=None,
        )
        for point in points
        if found.id in point.compliance
    ]
    pictures = charts(kept, say_of(request))
    return show(
        request,
        "framework",
        framework=found,
        rows=rows,
        total=whole(found, by_policy),
        charts=[picture for picture in pictures if picture.legend],
    )


@router.get("/compliance/{name}/{control_id}")
def control(
    request: Request, name: str, control_id: str, reading: Reading, services: Serving
) -> HTMLResponse:
    found = _framework(services, name)
    one = next((control for control in found.controls if control.id == control_id), None)
    if one is None:
        raise NotFoundError("there is no such control.")
    by_policy = tallies(reading.evaluation_counts(Query()), services.catalogue)
    rows = [
        (policy, services.catalogue.get(policy), by_policy.get(policy, Tally())) for policy in one.policies
    ]
    said = [one for one in services.store.attestations(found.id) if one.control == control_id]
    return show(request, "control", framework=found, control=one, rows=rows, attestations=said)


def _framework(services: Services, name: str) -> Framework:
    found = services.frameworks.get(name)
    if found is None:
        raise NotFoundError("there is no such framework.")
    return found
