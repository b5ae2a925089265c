"""Compliance: frameworks, their controls, the policies below, the resources below those; the score over time."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from driftguard.history.port import Query
from driftguard.report.charts import charts
from driftguard.rules.frameworks import Framework
from driftguard.rules.scores import ControlStatus, Tally, control_rows, tallies, whole
from driftguard.service.calling import Acting, Reading, Serving
from driftguard.service.problems import NotFoundError
from driftguard.service.services import Services
from driftguard.service.web.forms import Form
from driftguard.service.web.render import say_of, show
from driftguard.service.web.tables import csv_response

router = APIRouter()
_TELLING = (
    ControlStatus.NON_COMPLIANT,
    ControlStatus.INSUFFICIENT_DATA,
    ControlStatus.COMPLIANT,
    ControlStatus.ATTESTED,
)
"""Controls with a verdict, those that need somebody first."""
_COLUMNS = ("framework", "version", "title", "percent", "compliant", "failed", "untold")
_CONTROLS = ("framework", "control", "title", "status", "compliant", "failed", "untold", "policies")


@router.get("/compliance")
def frameworks(request: Request, reading: Reading, services: Serving) -> HTMLResponse:
    by_policy = tallies(reading.evaluation_counts(Query()), services.catalogue)
    rows = [(framework, whole(framework, by_policy)) for framework in services.frameworks.frameworks]
    return show(request, "compliance", rows=rows, judged=bool(by_policy))


@router.get("/compliance.csv")
def frameworks_csv(reading: Reading, services: Serving) -> Response:
    by_policy = tallies(reading.evaluation_counts(Query()), services.catalogue)
    rows = []
    for found in services.frameworks.frameworks:
        tally = whole(found, by_policy)
        percent = "" if tally.percent is None else tally.percent
        about = {"framework": found.id, "version": found.version, "title": found.title, "percent": percent}
        rows.append(about | asdict(tally))
    return csv_response("compliance", _COLUMNS, rows)


@router.get("/compliance/{name}.csv")
def framework_csv(name: str, reading: Reading, services: Serving) -> Response:
    found = _framework(services, name)
    by_policy = tallies(reading.evaluation_counts(Query()), services.catalogue)
    rows = [
        {
            "framework": found.id,
            "control": row.control.id,
            "title": row.control.title,
            "status": row.status.value,
            "policies": " ".join(row.control.policies),
        }
        | asdict(row.tally)
        for row in control_rows(found, by_policy, services.attested(found.id))
    ]
    return csv_response(f"compliance-{found.id}", _CONTROLS, rows)


@router.get("/compliance/{name}")
def framework(request: Request, name: str, reading: Reading, services: Serving) -> HTMLResponse:
    found = _framework(services, name)
    by_policy = tallies(reading.evaluation_counts(Query()), services.catalogue)
    rows = control_rows(found, by_policy, services.attested(found.id))
    points = services.points(365) if reading.accounts is None else ()
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
        rows=sorted(
            (row for row in rows if row.status in _TELLING), key=lambda row: _TELLING.index(row.status)
        ),
        silent=[row for row in rows if row.status not in _TELLING],
        can_export=services.exporter is not None,
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
    # What fails first, then what was judged, then what could be, then what nothing here judges.
    rows.sort(key=lambda row: (-row[2].failed, -row[2].judged, row[1] is None))
    said = [one for one in services.store.attestations(found.id) if one.control == control_id]
    return show(request, "control", framework=found, control=one, rows=rows, attestations=said)


@router.post("/compliance/{name}/evidence")
def evidence(name: str, form: Form, actions: Acting, services: Serving) -> Response:
    """The sealed bundle of now, as a download; its seal is in the audit log and in a header."""
    found = _framework(services, name)
    with TemporaryDirectory(prefix="driftguard-evidence-") as folder:
        target = Path(folder) / "bundle.zip"
        seal = actions.export(found, target)
        content = target.read_bytes()
    file = f"evidence-{found.id}-{services.clock():%Y%m%d}.zip"
    headers = {"content-disposition": f'attachment; filename="{file}"', "x-driftguard-seal": seal}
    return Response(content, headers=headers, media_type="application/zip")


def _framework(services: Services, name: str) -> Framework:
    found = services.frameworks.get(name)
    if found is None:
        raise NotFoundError("there is no such framework.")
    return found
