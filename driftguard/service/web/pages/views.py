"""Saved views: a person's own names for the filters of a list."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter
from starlette.responses import RedirectResponse

from driftguard.errors import InputError
from driftguard.history.kept import Document
from driftguard.service.access.roles import Principal
from driftguard.service.calling import Calling, Serving
from driftguard.service.services import Services
from driftguard.service.web.forms import Form, to

router = APIRouter()
LISTS = ("/findings", "/drifts")
"""The lists that have views."""
_MOST = 50
_OF_THE_MOMENT = ("cursor", "lang", "theme")


def views_of(services: Services, who: Principal, page: str) -> Sequence[Document]:
    """The views that ``who`` saved of ``page``, by name."""
    return services.store.documents(_kind(who.name, page))


@router.post("/views")
def save_view(form: Form, services: Serving, who: Calling) -> RedirectResponse:
    page, name, query = _page(form), form.get("name", "").strip()[:60], _lasting(form.get("query", "")[:2000])
    if not name:
        raise InputError("a saved view needs a name.")
    kind = _kind(who.name, page)
    if len(services.store.documents(kind)) >= _MOST:
        raise InputError(f"there are {_MOST} saved views already.", fix="Delete one first.")
    services.store.put_document(kind, name, {"query": query})
    return to(f"{page}?{query}")


@router.post("/views/delete")
def delete_view(form: Form, services: Serving, who: Calling) -> RedirectResponse:
    page = _page(form)
    services.store.take_document(_kind(who.name, page), form.get("name", ""))
    return to(page)


def _lasting(query: str) -> str:
    """A query without what is of the moment: a page of the list, and how the reader looks at it."""
    return urlencode(
        [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in _OF_THE_MOMENT]
    )


def _page(form: Form) -> str:
    """The list that a form was sent from.  Raises `InputError` for any other address."""
    page = form.get("page", LISTS[0])
    if page not in LISTS:
        raise InputError("this page has no saved views.", fix=f"Known: {', '.join(LISTS)}.")
    return page


def _kind(user: str, page: str) -> str:
    """Where a person's views of a list are kept; those of findings were the first, and are called so still."""
    rest = "" if page == LISTS[0] else f":{page.lstrip('/')}"
    return f"view:{hashlib.sha256(user.encode()).hexdigest()[:16]}{rest}"
