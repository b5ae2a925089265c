"""Policies: the catalogue with what each found, and one of them with its verdicts."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from driftguard.history.port import Query
from driftguard.model import ComplianceType
from driftguard.service.calling import Reading, Serving
from driftguard.service.problems import NotFoundError
from driftguard.service.web.filters import filter_of
from driftguard.service.web.render import language, show
from driftguard.service.web.scores import Tally, tallies

router = APIRouter()


@router.get("/policies")
def policies(request: Request, reading: Reading, services: Serving) -> HTMLResponse:
    text = request.query_params.get("q", "").strip().lower()[:100]
    by_policy = tallies(reading.evaluation_counts(Query()), services.catalogue)
    rows = [
        (policy, by_policy.get(policy.id, Tally()))
        for policy in services.catalogue.policies
        if text
        in " ".join(
            (policy.id, policy.title, policy.title_ko, *policy.aliases, *policy.resource_types)
        ).lower()
    ]
    rows.sort(key=lambda row: (-row[1].failed, row[0].severity.rank, row[0].id))
    dormant = {policy.id for policy in services.catalogue.dormant}
    return show(
        request, "policies", rows=rows, text=text, dormant=dormant, total=len(services.catalogue.policies),
        errors=services.catalogue.errors, korean=language(request) == "ko",
    )  # fmt: skip


@router.get("/policies/{policy_id}")
def policy(request: Request, policy_id: str, reading: Reading, services: Serving) -> HTMLResponse:
    found = services.catalogue.get(policy_id)
    if found is None:
        raise NotFoundError("there is no such policy.")
    chosen = filter_of(
        request, "status", "account", order="compliance", defaults={"status": ("NON_COMPLIANT",)}
    )
    return show(
        request,
        "policy",
        policy=found,
        filter=chosen,
        page=reading.evaluations(chosen.query(subjects=(found.id,))),
        statuses=[verdict.value for verdict in ComplianceType],
        korean=language(request) == "ko",
    )
