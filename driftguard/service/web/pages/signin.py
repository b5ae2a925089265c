"""Signing in by a one-time code or an identity provider, and out."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from driftguard.errors import DriftguardError
from driftguard.service.access.oidc import NeverBegunError, Oidc, Person
from driftguard.service.access.roles import Holding, holding, holdings_of
from driftguard.service.access.sessions import COOKIE, CSRF_COOKIE, Sessions
from driftguard.service.access.tokens import redeem_link
from driftguard.service.calling import Calling, Serving
from driftguard.service.problems import ForbiddenError
from driftguard.service.services import Services
from driftguard.service.web.forms import Form, to
from driftguard.service.web.render import show

router = APIRouter()
_STATE_COOKIE = "dg_oidc"


@router.get("/sign-in")
def page(request: Request, services: Serving) -> HTMLResponse:
    code = request.query_params.get("code", "")[:200]
    return show(request, "signin", code=code, oidc=bool(services.settings.web.oidc.issuer), failed=False)


@router.post("/sign-in")
async def with_code(request: Request, services: Serving) -> Response:
    async with request.form(max_files=0, max_fields=5) as form:
        code = str(form.get("code", ""))[:200]
    found = redeem_link(services.store, code) if code else None
    if found is None:
        services.store.audit("nobody", "session.refused", "", {"how": "link"})
        oidc = bool(services.settings.web.oidc.issuer)
        return show(request, "signin", status=403, code="", oidc=oidc, failed=True)
    held = (holding(str(found["role"]), found["accounts"]),)
    return _signed_in(services, to("/"), str(found["user"]), held, "link")


@router.get("/sign-in/oidc")
def with_provider(services: Serving) -> RedirectResponse:
    address, state = _oidc(services).begin()
    answer = RedirectResponse(address, 303)
    # Lax: the provider sends the reader back to us from another site.
    answer.set_cookie(
        _STATE_COOKIE, state, max_age=600, httponly=True, secure=_secure(services), samesite="lax"
    )
    return answer


@router.get("/sign-in/callback")
def back(request: Request, services: Serving) -> Response:
    given = request.query_params
    # Whoever comes without the cookie of a sign-in that was begun is nobody: the audit log, which is for good, keeps
    # no line of it.
    cookie = request.cookies.get(_STATE_COOKIE, "")
    if not cookie or given.get("state", "") != cookie:
        raise ForbiddenError("this sign-in was not begun in this browser.", fix="Sign in again.")
    try:
        person = _oidc(services).finish(given.get("state", ""), given.get("code", ""))
    except NeverBegunError:
        raise
    except DriftguardError as error:
        services.store.audit("nobody", "session.refused", "", {"how": "oidc", "why": error.message})
        raise
    held = holdings_of(services.settings.web, person.names, person.groups)
    if not held:
        services.store.audit(person.name, "session.refused", person.name, {"how": "oidc", "why": "no role"})
        raise ForbiddenError(
            f"{person.name} has no role here.", fix="An administrator grants one under web.grants."
        )
    # A page of our own in between: the strict session cookie is not sent along a redirect from another site.
    answer = show(request, "signed_in")
    answer.delete_cookie(_STATE_COOKIE)
    return _signed_in(services, answer, person.name, held, "oidc", person)


@router.post("/sign-out")
def sign_out(form: Form, services: Serving, who: Calling) -> RedirectResponse:
    Sessions(services.store, services.settings.web).close(who)
    answer = to("/sign-in")
    answer.delete_cookie(COOKIE)
    answer.delete_cookie(CSRF_COOKIE)
    return answer


def _oidc(services: Services) -> Oidc:
    return Oidc(services.settings.web, services.store)


def _secure(services: Services) -> bool:
    web = services.settings.web
    return web.public_url.startswith("https://") or bool(web.tls_certificate) or web.behind_proxy


def _signed_in(
    services: Services,
    answer: Response,
    user: str,
    held: tuple[Holding, ...],
    how: str,
    person: Person | None = None,
) -> Response:
    web = services.settings.web
    names, groups = (person.names, person.groups) if person else ((), ())
    cookie, csrf = Sessions(services.store, web).open(user, held, how, names=names, groups=groups)
    seconds = int(web.session_hours * 3600)
    for name, value in ((COOKIE, cookie), (CSRF_COOKIE, csrf)):
        answer.set_cookie(
            name, value, max_age=seconds, httponly=True, secure=_secure(services), samesite="strict"
        )
    return answer
