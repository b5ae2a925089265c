"""Findings as cards, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from starlette.requests import Request

from driftguard.model import Finding
from driftguard.report.messages import Messages
from driftguard.report.view import Item, item
from driftguard.rules.catalogue import Catalogue
from driftguard.service.calling import services_of
from driftguard.service.web.render import say_of


def cards(
    request: Request, findings: Iterable[Finding], run_id: str = "", *, new: bool = False
) -> list[Item]:
    """``findings`` after the run ``run_id``; ``new`` marks them all as opened by it."""
    say, policies = say_of(request), services_of(request).policies
    return [item(one, say, run_id, (one.fingerprint,) if new else (), (), policies) for one in findings]


def titles(catalogue: Catalogue, say: Messages) -> Mapping[str, str]:
    """What each policy asks for, in the reader's language."""
    return {
        one.id: one.title_ko if say.lang == "ko" and one.title_ko else one.title for one in catalogue.policies
    }
