"""Resources: the estate as it is, and one of them with all that is known of it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from driftguard.history.port import MOST_KEYS, Exact, Page, Query
from driftguard.service.calling import Acting, Reading, Serving, key_id, key_of_id
from driftguard.service.problems import NotFoundError
from driftguard.service.web.filters import filter_of
from driftguard.service.web.forms import Form, to
from driftguard.service.web.items import cards, titles
from driftguard.service.web.render import say_of, show
from driftguard.service.web.tables import csv_response

router = APIRouter()
_TIMELINE = 50
_KEYS, _FOUND = 100, 20
"""How much of what a search finds is on its page; the lists have the rest."""
_FIELDS = ("account", "region", "type", "stack")
_COLUMNS = ("type", "account", "region", "identifier", "name", "arn", "read")


@router.get("/resources")
def resources(request: Request, reading: Reading) -> HTMLResponse:
    chosen = filter_of(request, *_FIELDS, order="type")
    return show(
        request,
        "resources",
        filter=chosen,
        never=reading.never(),
        page=reading.resources(chosen.query()),
        orders=("type", "account", "resource", "name", "-changed"),
        command=chosen.command("driftguard", "resources", options=(*_FIELDS, "search")),
    )


@router.get("/resources.csv")
def resources_csv(request: Request, reading: Reading) -> Response:
    page = reading.resources(filter_of(request, *_FIELDS, order="type").query())
    rows = [
        {
            "type": one.key.type,
            "account": one.key.account,
            "region": one.key.region,
            "identifier": one.key.identifier,
            "name": one.name or "",
            "arn": one.arn or "",
            "read": one.captured_at.isoformat() if one.captured_at else "",
        }
        for one in page.items
    ]
    return csv_response("resources", _COLUMNS, rows)


@router.get("/resources/{resource_id}")
def resource(request: Request, resource_id: str, reading: Reading, services: Serving) -> HTMLResponse:
    key = key_of_id(resource_id)
    entries = reading.timeline(key)
    live = reading.resource(key)
    one = Query(
        accounts=(Exact(key.account),),
        regions=(Exact(key.region),),
        types=(Exact(key.type),),
        identifiers=(Exact(key.identifier),),
    )
    drifts = reading.drifts(one).items
    findings = reading.findings(one).items
    if not entries and not drifts and not findings:
        raise NotFoundError("there is no such resource.", fix="The list shows those that you may see.")
    return show(
        request,
        "resource",
        key=key,
        live=live,
        properties=dict(live.properties) if live else {},
        drifts=drifts,
        open=cards(request, [found for found in findings if found.open]),
        closed=cards(request, [found for found in findings if not found.open]),
        evaluations=sorted(
            reading.evaluations(one).items, key=lambda e: (e.compliance, e.severity.rank, e.policy)
        ),
        titles=titles(services.catalogue, say_of(request)),
        entries=entries[:_TIMELINE],
        more_entries=max(0, len(entries) - _TIMELINE),
        stack=next((drift.stack for drift in drifts if drift.stack), ""),
    )


@router.post("/resources/{resource_id}/accept")
def accept(resource_id: str, form: Form, actions: Acting) -> RedirectResponse:
    key = key_of_id(resource_id)
    actions.accept(key, form.get("reason", ""))
    return to(f"/resources/{key_id(key)}")


@router.get("/search")
def search(request: Request, reading: Reading) -> HTMLResponse:
    text = request.query_params.get("q", "").strip()[:400]
    keys = reading.find_keys(text) if text else []
    found = reading.findings(Query(text=text, statuses=("OPEN",), limit=_FOUND)) if text else Page(items=())
    return show(
        request,
        "search",
        text=text,
        keys=keys[:_KEYS],
        total_keys=len(keys),
        most_keys=MOST_KEYS,
        items=cards(request, found.items),
        total=found.total or 0,
    )
