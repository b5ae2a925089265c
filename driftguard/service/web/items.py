"""Findings as cards, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request

from driftguard.model import Finding
from driftguard.report.view import Item, item
from driftguard.service.calling import services_of
from driftguard.service.web.render import say_of


def cards(
    request: Request, findings: Iterable[Finding], run_id: str = "", *, new: bool = False
) -> list[Item]:
    """``findings`` after the run ``run_id``; ``new`` marks them all as opened by it."""
    say, policies = say_of(request), services_of(request).policies
    return [item(one, say, run_id, (one.fingerprint,) if new else (), (), policies) for one in findings]
