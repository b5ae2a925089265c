"""The gate: nothing is answered before the caller is known, its rate is kept and its request is its own.

Closed by default: a path that is not in `PUBLIC` is answered to nobody who did not sign in or show a token.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from driftguard.errors import DriftguardError
from driftguard.service.access.limits import Limiter
from driftguard.service.access.network import is_loopback
from driftguard.service.access.roles import Principal
from driftguard.service.access.sessions import COOKIE, Sessions
from driftguard.service.access.tokens import principal_of_token
from driftguard.service.problems import problem, told
from driftguard.service.services import Services
from driftguard.settings.web import WebSettings

log = structlog.get_logger("driftguard.service")
PUBLIC = frozenset({"/healthz", "/readyz", "/sign-in", "/sign-in/oidc", "/sign-in/callback"})
_CALLBACK = "/sign-in/callback"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_MOST_BYTES = 1_000_000
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self.app = app
        self.services = services
        self.settings: WebSettings = services.settings.web
        self.sessions = Sessions(services.store, self.settings)
        self.requests = Limiter(self.settings.requests_per_minute)
        self.sign_ins = Limiter(self.settings.sign_ins_per_minute)
        self.hosts = _hosts(self.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        begun = False

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith("/static/"):
                    headers.setdefault("cache-control", "no-store")
                if self.settings.public_url.startswith("https://"):
                    headers.setdefault("strict-transport-security", "max-age=31536000")
            await send(message)

        try:
            refusal = await self._refusal(scope)
            await _with_head(refusal or self.app, scope, receive, guarded)
        except DriftguardError as error:
            await problem(503, *told(error))(scope, receive, guarded)
        except Exception:
            log.exception("request crashed", path=scope["path"])
            if begun:
                raise
            await problem(500, "This is a bug in driftguard.", "The log says more.")(scope, receive, guarded)

    async def _refusal(self, scope: Scope) -> ASGIApp | None:
        """What to answer instead of the page, if it must not be answered."""
        headers, path, method = Headers(scope=scope), scope["path"], scope["method"]
        if self.hosts and _host_name(headers.get("host", "")) not in self.hosts:
            return problem(
                400,
                "This host name is not ours.",
                f"Set web.public_url to reach it as {headers.get('host', '')[:80]}.",
            )
        if b"\x00" in scope.get("raw_path", b"") or "\x00" in path or b"%00" in scope["query_string"]:
            return problem(400, "A NUL character has no place in a request.")
        if method not in _SAFE and "transfer-encoding" in headers:
            return problem(411, "The request does not say how long it is.")
        if (
            not headers.get("content-length", "0").isdecimal()
            or int(headers.get("content-length", "0")) > _MOST_BYTES
        ):
            return problem(413, "The request is too large.")
        if path.startswith("/static/") and method in _SAFE:
            return None
        address = (scope.get("client") or ("unknown", 0))[0]
        if path == _CALLBACK or (path.startswith("/sign-in") and method not in _SAFE):
            wait = self.sign_ins.wait(address)
            if wait:
                return problem(429, "Too many attempts to sign in.", retry_after=wait)
        principal = await run_in_threadpool(self._principal, headers)
        scope.setdefault("state", {})["principal"] = principal
        wait = self.requests.wait(principal.session if principal else address)
        if wait:
            return problem(429, "Too many requests.", retry_after=wait)
        if method not in _SAFE and not self._own(scope, headers, principal):
            return problem(
                403, "This request did not come from our own pages.", "Reload the page and try again."
            )
        if principal is None and not self._open(path):
            return problem(
                401, "Nobody is signed in.", "Sign in, or send a token: Authorization: Bearer dg_…", path=path
            )
        return None

    def _open(self, path: str) -> bool:
        return path in PUBLIC or (path == "/metrics" and self.settings.metrics_open)

    def _principal(self, headers: Mapping[str, str]) -> Principal | None:
        kind, _, secret = headers.get("authorization", "").partition(" ")
        if kind:
            # A caller who shows a token is judged by it alone, never by a cookie beside it.
            return (
                principal_of_token(self.services.store, secret.strip()) if kind.lower() == "bearer" else None
            )
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        return self.sessions.principal(cookie) if cookie else None

    def _own(self, scope: Scope, headers: Mapping[str, str], principal: Principal | None) -> bool:
        """Whether a request that changes something comes from our own page: its origin, and for people the
        CSRF header if there is one (a form's field is compared where the form is read)."""
        if principal is not None and principal.kind == "token":
            return True
        origin = headers.get("origin")
        own = {f"{scope['scheme']}://{headers.get('host', '')}", self.settings.public_url.rstrip("/")}
        if origin is None or origin not in own:
            return False
        given = headers.get("x-csrf-token")
        if given is not None and principal is not None:
            return hmac.compare_digest(given.encode(), principal.csrf.encode())
        form = headers.get("content-type", "").startswith(("application/x-www-form-urlencoded", "multipart/"))
        return principal is None or form


async def _with_head(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """A HEAD is answered as a GET is, without the body."""
    if scope["method"] != "HEAD":
        await app(scope, receive, send)
        return

    async def bodiless(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    scope["method"] = "GET"
    try:
        await app(scope, receive, bodiless)
    finally:
        scope["method"] = "HEAD"


def _hosts(settings: WebSettings) -> frozenset[str]:
    """The host names we answer to; empty: any, which only a proxy in front may decide."""
    public = urlsplit(settings.public_url).hostname
    own = {public} if public else set()
    if is_loopback(settings.host):
        return frozenset(own | {"localhost", "127.0.0.1", "::1", settings.host})
    return frozenset(own | {settings.host}) if own else frozenset()


def _host_name(host: str) -> str:
    return (urlsplit(f"//{host}").hostname or "") if _plain(host) else ""


def _plain(host: str) -> bool:
    try:
        urlsplit(f"//{host}").port  # noqa: B018 - reading it is the check
    except ValueError:
        return False
    return True
