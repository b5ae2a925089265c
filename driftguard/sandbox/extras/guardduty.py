"""What GuardDuty says of a detector that has found nothing and that nobody manages from elsewhere."""

from __future__ import annotations

from driftguard.sandbox.core import Context, Request, Response, operation


@operation("guardduty", "ListFindings")
def list_findings(context: Context, request: Request) -> Response:
    """No findings."""
    return {"FindingIds": []}


@operation("guardduty", "GetAdministratorAccount")
def administrator(context: Context, request: Request) -> Response:
    """No administrator: the detector is managed by its own account."""
    return {"Administrator": {}}
