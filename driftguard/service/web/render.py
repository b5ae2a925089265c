"""From a template and values to a page."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlencode

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from driftguard import __version__
from driftguard.report.causes import act
from driftguard.report.retold import retold
from driftguard.report.view import percent
from driftguard.service.access.roles import Permission, Principal
from driftguard.service.calling import key_id, services_of
from driftguard.service.web.texts import LANGUAGES, Texts, best_language, texts
from driftguard.service.web.wording import FILTERS

LANG_COOKIE, THEME_COOKIE = "dg_lang", "dg_theme"
_THEMES = ("light", "dark")
_YEAR = 365 * 24 * 3600
NAVIGATION = (
    ("today", "/"),
    ("findings", "/findings"),
    ("drifts", "/drifts"),
    ("causes", "/causes"),
    ("resources", "/resources"),
    ("stacks", "/stacks"),
    ("compliance", "/compliance"),
    ("plans", "/plans"),
    ("runs", "/runs"),
    ("waivers", "/waivers"),
    ("policies", "/policies"),
    ("notifications", "/notifications"),
    ("settings", "/settings"),
    ("audit", "/audit"),
)
_EVERYWHERE = {
    "notifications": Permission.READ,
    "settings": Permission.READ,
    "audit": Permission.AUDIT,
}
"""Pages about the whole installation, and what their reader holds on all accounts."""


def language(request: Request) -> str:
    """``?lang=``, then the cookie, then what the browser accepts."""
    asked = request.query_params.get("lang") or request.cookies.get(LANG_COOKIE, "")
    return asked if asked in LANGUAGES else best_language(request.headers.get("accept-language", ""))


def _theme(request: Request) -> str:
    asked = request.query_params.get("theme") or request.cookies.get(THEME_COOKIE, "")
    return asked if asked in _THEMES else ""


def say_of(request: Request) -> Texts:
    """The texts in the reader's language."""
    return texts(language(request))


def show(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page.  What the reader chose in the address (language, theme) is kept in a cookie."""
    say, principal = say_of(request), getattr(request.state, "principal", None)
    context = {
        "say": say,
        "lang": say.lang,
        "theme": _theme(request),
        "path": request.url.path,
        "query": request.query_params,
        "who": principal,
        "csrf": principal.csrf if isinstance(principal, Principal) else "",
        "may": _may(principal),
        "navigation": _navigation(principal),
        "version": __version__,
        "asset": _asset,
        "retold": lambda one: retold(one.message, services_of(request).policies.get(one.policy), say),
        "url": lambda **changes: with_query(request, **changes),
        "now": datetime.now(UTC),
    }
    page = _environment().get_template(f"{template}.html.j2").render(context | values)
    response = HTMLResponse(page, status)
    response.headers["vary"] = "Accept-Language, Cookie, HX-Request"
    for name, cookie, known in (
        ("lang", LANG_COOKIE, LANGUAGES),
        ("theme", THEME_COOKIE, (*_THEMES, "auto")),
    ):
        if request.query_params.get(name) in known:
            response.set_cookie(
                cookie, request.query_params[name], max_age=_YEAR, samesite="strict", httponly=True
            )
    return response


def _navigation(principal: object) -> list[tuple[str, str]]:
    """The pages that the reader may open."""
    return [
        (name, address)
        for name, address in NAVIGATION
        if name not in _EVERYWHERE
        or (isinstance(principal, Principal) and principal.everywhere(_EVERYWHERE[name]))
    ]


def _may(principal: object) -> Any:
    def may(permission: str, account: str | None = None) -> bool:
        return isinstance(principal, Principal) and principal.can(Permission(permission), account)

    return may


def with_query(request: Request, **changes: Any) -> str:
    """The address of this page with other parameters; None leaves one out."""
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name not in changes]
    pairs += [(name, str(value)) for name, value in changes.items() if value is not None]
    text = urlencode(pairs)
    return f"{request.url.path}?{text}" if text else request.url.path


@cache
def _asset(name: str) -> str:
    """The address of a static file, which changes when the file does."""
    data = (resources.files("driftguard.service.web") / "static" / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(data).hexdigest()[:10]}"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("driftguard.service.web"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(FILTERS | {"key": key_id})
    environment.globals.update(percent=percent, act=act)
    return environment
