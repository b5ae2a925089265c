"""Running the service: refuse what is not safe, start, and stop without dropping anything."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from driftguard.errors import ConfigError
from driftguard.service.access.network import is_loopback
from driftguard.service.access.tokens import LINK_MINUTES, create_link, list_tokens
from driftguard.settings.web import WebSettings

if TYPE_CHECKING:
    from driftguard.history.port import Store
    from driftguard.wiring import Wiring

_SHUTDOWN_SECONDS = 20
_KEEP_ALIVE_SECONDS = 15


def address(web: WebSettings) -> str:
    """Where people reach the service."""
    host = f"[{web.host}]" if ":" in web.host else web.host
    scheme = "https" if web.tls_certificate else "http"
    return web.public_url.rstrip("/") or f"{scheme}://{host}:{web.port}"


def refuse_unsafe(web: WebSettings, store: Store) -> None:
    """Raise `ConfigError` when others could reach the service and nobody would ask who they are."""
    if bool(web.tls_certificate) != bool(web.tls_key):
        raise ConfigError("web.tls_certificate and web.tls_key belong together.", fix="Set both or neither.")
    if is_loopback(web.host):
        return
    if not (web.oidc.issuer and web.oidc.client_id and web.grants) and not list_tokens(store):
        raise ConfigError(
            f"{web.host} can be reached by others, and there is no way to tell who they are.",
            fix="Set web.oidc and web.grants, or make a token (`driftguard token create NAME`), or listen on 127.0.0.1.",
        )
    if not web.tls_certificate and not web.behind_proxy:
        raise ConfigError(
            f"{web.host} can be reached by others, and nothing encrypts what they send.",
            fix="Set web.tls_certificate and web.tls_key, or web.behind_proxy when a proxy in front ends TLS.",
        )


def serve(
    wiring: Wiring, *, schedules: bool = True, verbose: int = 0, tell: Callable[[str], object] = print
) -> None:
    """Answer until SIGTERM or SIGINT; then let requests, and a scan under way, come to an end."""
    import uvicorn

    from driftguard.service import logs, tracing
    from driftguard.service.app import create_app
    from driftguard.service.services import services

    web = wiring.settings.web
    refuse_unsafe(web, wiring.store)
    logs.configure(verbose, wiring.redactor.redact_event)
    made = services(wiring)
    app = create_app(made)
    last_spans = tracing.install(app)
    config = uvicorn.Config(
        app,
        host=web.host,
        port=web.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=web.behind_proxy,
        forwarded_allow_ips=list(web.trusted_proxies),
        ssl_certfile=web.tls_certificate,
        ssl_keyfile=web.tls_key,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
    tell(f"driftguard serves {address(web)}")
    if is_loopback(web.host):
        code = create_link(wiring.store, user=wiring.actor, role="admin", actor=wiring.actor)
        tell(f"Sign in once, within {LINK_MINUTES} minutes: {address(web)}/sign-in?code={code}")
    # uvicorn stops at a signal, and then raises it again: with the default handler we would die right there,
    # before scans and schedules have come to an end.
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: None)
    with _scheduled(wiring, schedules):
        try:
            uvicorn.Server(config).run()
        finally:
            made.scans.close()
            if last_spans is not None:
                last_spans()


def work(wiring: Wiring, *, verbose: int = 0) -> None:
    """Run the schedules until SIGTERM or SIGINT."""
    from driftguard.service import logs

    if not wiring.settings.service.schedules and not wiring.settings.service.events.queue_url:
        raise ConfigError("there is nothing to work on.", fix="Write service.schedules or service.events.")
    logs.configure(verbose, wiring.redactor.redact_event)
    stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopped.set())
    with _scheduled(wiring, True):
        stopped.wait()


@contextmanager
def _scheduled(wiring: Wiring, wanted: bool) -> Iterator[None]:
    """The schedules, while the block runs."""
    if not wanted:
        yield
        return
    from driftguard.service.scheduler import start_scheduler

    scheduler = start_scheduler(wiring)
    try:
        yield
    finally:
        scheduler.stop()
