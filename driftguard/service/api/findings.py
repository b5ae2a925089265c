"""Findings."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from driftguard.history.port import Query
from driftguard.model import Finding, FindingKind, FindingStatus, Json, Severity
from driftguard.report.document import known_finding_document
from driftguard.service.api.answers import NOT_MODIFIED, answer, keyed, listed, narrowed
from driftguard.service.api.models import FindingOut, ListOf
from driftguard.service.calling import Reading
from driftguard.service.problems import NotFoundError

router = APIRouter(prefix="/findings", tags=["findings"])
_Narrowed = Annotated[
    Query,
    narrowed(
        "account", "region", "type", "stack", "severity", "status", "kind", "policy", "q",
        severity=Severity, status=("OPEN", *FindingStatus), kind=FindingKind,
    ),
]  # fmt: skip


def _document(finding: Finding) -> Json:
    return keyed(known_finding_document(finding), finding.key)


@router.get("", response_model=ListOf[FindingOut], responses=NOT_MODIFIED)
def list_findings(request: Request, reading: Reading, query: _Narrowed) -> Response:
    """Findings, worst first.  The status `OPEN` stands for `NEW` and `NOTIFIED`."""
    return listed(request, reading.findings(query), _document)


@router.get("/{fingerprint}", response_model=FindingOut, responses=NOT_MODIFIED)
def get_finding(request: Request, fingerprint: str, reading: Reading) -> Response:
    """One finding."""
    found = reading.finding(fingerprint)
    if found is None:
        raise NotFoundError("there is no such finding.")
    return answer(request, _document(found))
