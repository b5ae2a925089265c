"""Forms: read, and proved to come from a page that we gave to the same session."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse

from driftguard.service.access.sessions import CSRF_COOKIE
from driftguard.service.calling import principal_of
from driftguard.service.problems import ForbiddenError

_LONGEST = 4000


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form.  Raises `ForbiddenError` unless its CSRF token is the session's, twice over:
    in the form and in the cookie."""
    async with request.form(max_files=0, max_fields=50) as form:
        fields = {
            name: value[:_LONGEST].replace("\0", "")
            for name, value in form.items()
            if not isinstance(value, UploadFile)
        }
    principal = principal_of(request)
    given, cookie = fields.pop("csrf", ""), request.cookies.get(CSRF_COOKIE, "")
    expected = principal.csrf.encode()
    if not expected or not (
        hmac.compare_digest(given.encode(), expected) and hmac.compare_digest(cookie.encode(), expected)
    ):
        raise ForbiddenError(
            "this form is not one of ours, or it is too old.", fix="Reload the page and try again."
        )
    return fields


Form = Annotated[dict[str, str], Depends(form_of)]


def to(path: str) -> RedirectResponse:
    """On to another page after a form was done."""
    return RedirectResponse(path, status_code=303)
