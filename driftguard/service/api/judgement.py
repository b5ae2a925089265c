"""Policies, their verdicts, and the frameworks above them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from driftguard.history.port import Page, Query
from driftguard.model import ComplianceType, Json, PolicySummary, Severity
from driftguard.report.document import evaluation_document
from driftguard.rules.frameworks import Framework
from driftguard.rules.scores import Tally, control_rows, tallies, whole
from driftguard.service.api.answers import NOT_MODIFIED, answer, keyed, listed, narrowed
from driftguard.service.api.models import EvaluationOut, FrameworkDetail, FrameworkOut, ListOf, PolicyOut
from driftguard.service.calling import Reading, Serving
from driftguard.service.problems import NotFoundError

router = APIRouter(tags=["judgement"])
_Verdicts = Annotated[
    Query,
    narrowed(
        "account", "region", "type", "stack", "severity", "status", "policy", "q",
        severity=Severity, status=ComplianceType,
    ),
]  # fmt: skip


def _policy(policy: PolicySummary) -> Json:
    return {
        "id": policy.id,
        "title": policy.title,
        "severity": policy.severity.value,
        "resource_types": list(policy.resource_types),
        "description": policy.description,
        "source": policy.source,
        "aliases": list(policy.aliases),
        "frameworks": {name: list(controls) for name, controls in policy.frameworks.items()},
        "remedy": policy.remedy,
    }


def _counts(tally: Tally) -> Json:
    return {"compliant": tally.compliant, "non_compliant": tally.failed, "insufficient_data": tally.untold}


def _framework(framework: Framework, tally: Tally) -> Json:
    about = {"id": framework.id, "title": framework.title, "version": framework.version}
    return {**about, "percent": tally.percent, **_counts(tally)}


@router.get("/policies", response_model=ListOf[PolicyOut], responses=NOT_MODIFIED)
def list_policies(request: Request, _: Reading, services: Serving) -> Response:
    """The whole catalogue."""
    found = tuple(policy.summary() for policy in services.catalogue.policies)
    return listed(request, Page(items=found, total=len(found)), _policy)


@router.get("/policies/{policy_id}", response_model=PolicyOut, responses=NOT_MODIFIED)
def get_policy(request: Request, policy_id: str, _: Reading, services: Serving) -> Response:
    """One policy, by its id or another of its names."""
    found = services.catalogue.get(policy_id)
    if found is None:
        raise NotFoundError("there is no such policy.")
    return answer(request, _policy(found.summary()))


@router.get("/evaluations", response_model=ListOf[EvaluationOut], responses=NOT_MODIFIED)
def list_evaluations(request: Request, reading: Reading, query: _Verdicts) -> Response:
    """Verdicts of policies on resources."""
    page = reading.evaluations(query)
    return listed(request, page, lambda one: keyed(evaluation_document(one), one.key))


@router.get("/compliance", response_model=ListOf[FrameworkOut], responses=NOT_MODIFIED)
def list_frameworks(request: Request, reading: Reading, services: Serving) -> Response:
    """Frameworks and their scores: compliant of judged pairs of policy and resource."""
    by_policy = tallies(reading.evaluation_counts(Query()), services.catalogue)
    found = services.frameworks.frameworks
    page = Page(items=found, total=len(found))
    return listed(request, page, lambda framework: _framework(framework, whole(framework, by_policy)))


@router.get("/compliance/{framework_id}", response_model=FrameworkDetail, responses=NOT_MODIFIED)
def get_framework(request: Request, framework_id: str, reading: Reading, services: Serving) -> Response:
    """One framework with its controls."""
    found = services.frameworks.get(framework_id)
    if found is None:
        raise NotFoundError("there is no such framework.")
    by_policy = tallies(reading.evaluation_counts(Query()), services.catalogue)
    rows = control_rows(found, by_policy, services.attested(found.id))
    controls = [
        {
            "id": row.control.id,
            "title": row.control.title,
            "status": row.status.value,
            "policies": list(row.control.policies),
            **_counts(row.tally),
        }
        for row in rows
    ]
    return answer(request, {**_framework(found, whole(found, by_policy)), "controls": controls})
