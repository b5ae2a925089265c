"""Policies: the catalogue with what each found, and one of them with its verdicts."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from driftguard.history.port import Query
from driftguard.model import ComplianceType
from driftguard.report.document import evaluation_document
from driftguard.rules.policy import Policy
from driftguard.rules.scores import Tally, tallies
from driftguard.service.access.scoped import ScopedStore
from driftguard.service.calling import Reading, Serving
from driftguard.service.problems import NotFoundError
from driftguard.service.services import Services
from driftguard.service.web.filters import Filter, filter_of
from driftguard.service.web.render import language, show
from driftguard.service.web.tables import csv_response

router = APIRouter()


_COLUMNS = ("policy", "title", "severity", "types", "failed", "compliant", "untold")
_VERDICTS = (
    "policy", "status", "severity", "account", "region", "resource_type", "identifier", "stack", "logical_id",
    "message", "path",
)  # fmt: skip


def _rows(request: Request, reading: ScopedStore, services: Services) -> list[tuple[Policy, Tally]]:
    """The policies that hold the text in the address, those with most faults first."""
    text = _text(request).lower()
    by_policy = tallies(reading.evaluation_counts(Query()), services.catalogue)
    rows = [
        (policy, by_policy.get(policy.id, Tally()))
        for policy in services.catalogue.policies
        if text
        in " ".join(
            (policy.id, policy.title, policy.title_ko, *policy.aliases, *policy.resource_types)
        ).lower()
    ]
    return sorted(rows, key=lambda row: (-row[1].failed, row[0].severity.rank, row[0].id))


def _text(request: Request) -> str:
    return request.query_params.get("q", "").strip()[:100]


def _policy(services: Services, policy_id: str) -> Policy:
    found = services.catalogue.get(policy_id)
    if found is None:
        raise NotFoundError("there is no such policy.")
    return found


def _filter(request: Request) -> Filter:
    return filter_of(
        request, "status", "account", order="compliance", defaults={"status": ("NON_COMPLIANT",)}
    )


@router.get("/policies")
def policies(request: Request, reading: Reading, services: Serving) -> HTMLResponse:
    return show(
        request,
        "policies",
        rows=_rows(request, reading, services),
        text=_text(request),
        dormant={policy.id for policy in services.catalogue.dormant},
        total=len(services.catalogue.policies),
        errors=services.catalogue.errors,
        korean=language(request) == "ko",
    )


@router.get("/policies.csv")
def policies_csv(request: Request, reading: Reading, services: Serving) -> Response:
    rows = [
        {
            "policy": policy.id,
            "title": policy.title,
            "severity": policy.severity.value,
            "types": " ".join(policy.resource_types),
        }
        | asdict(tally)
        for policy, tally in _rows(request, reading, services)
    ]
    return csv_response("policies", _COLUMNS, rows)


@router.get("/policies/{policy_id}.csv")
def policy_csv(request: Request, policy_id: str, reading: Reading, services: Serving) -> Response:
    found = _policy(services, policy_id)
    page = reading.evaluations(_filter(request).query(subjects=(found.id,)))
    return csv_response(f"policy-{found.id}", _VERDICTS, [evaluation_document(one) for one in page.items])


@router.get("/policies/{policy_id}")
def policy(request: Request, policy_id: str, reading: Reading, services: Serving) -> HTMLResponse:
    found, chosen = _policy(services, policy_id), _filter(request)
    return show(
        request,
        "policy",
        policy=found,
        filter=chosen,
        page=reading.evaluations(chosen.query(subjects=(found.id,))),
        statuses=[verdict.value for verdict in ComplianceType],
        korean=language(request) == "ko",
    )
