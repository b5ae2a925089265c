"""Running the service: refuse what is not safe, start, and stop without dropping anything."""

from __future__ import annotations

import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from driftguard.errors import ConfigError
from driftguard.service.access.network import address, is_loopback, is_no_address
from driftguard.service.access.tokens import LINK_MINUTES, create_link, list_tokens
from driftguard.settings.web import WebSettings

if TYPE_CHECKING:
    from driftguard.history.port import Store
    from driftguard.wiring import Wiring

__all__ = ["address", "refuse_unsafe", "serve", "work"]
_SHUTDOWN_SECONDS = 20
_KEEP_ALIVE_SECONDS = 15
_BACKLOG = 2048


def refuse_unsafe(web: WebSettings, store: Store) -> None:
    """Raise `ConfigError` when others could reach the service and nobody would ask who they are."""
    if bool(web.tls_certificate) != bool(web.tls_key):
        raise ConfigError("web.tls_certificate and web.tls_key belong together.", fix="Set both or neither.")
    _check_certificate(web)
    if web.oidc.issuer and not web.public_url and (web.behind_proxy or is_no_address(web.host)):
        raise ConfigError(
            "people who sign in come back to us, and the settings do not say where we are.",
            fix="Set web.public_url to the address that people type.",
        )
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


def _check_certificate(web: WebSettings) -> None:
    """Raise `ConfigError` when the files of ``web.tls_*`` cannot be used."""
    if not web.tls_certificate or not web.tls_key:
        return
    for name, file in (("web.tls_certificate", web.tls_certificate), ("web.tls_key", web.tls_key)):
        try:
            Path(file).read_bytes()
        except OSError as error:
            raise ConfigError(
                f"{name}: {file} cannot be read ({error.strerror}).", fix="Name a PEM file that is there."
            ) from None
    try:
        # A key with a passphrase would have us ask for it at a terminal that a service does not have.
        ssl.create_default_context().load_cert_chain(web.tls_certificate, web.tls_key, password=lambda: b"")
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(
            f"web.tls_certificate and web.tls_key are no pair that TLS can use ({error}).",
            fix="Both are PEM files; the key has no passphrase and belongs to the first certificate.",
        ) from None


def _listen(web: WebSettings) -> list[socket.socket]:
    """Sockets that are ours, before anything is started or told.  Raises `ConfigError`."""
    opened: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(web.host, web.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, place in dict.fromkeys(found):
            if opened and not web.port:
                break  # any free port: one is enough, and another one would be another port
            opened.append(socket.socket(family, kind, protocol))
            opened[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                opened[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            opened[-1].bind(place)
            opened[-1].listen(_BACKLOG)
    except OSError as error:
        for one in opened:
            one.close()
        raise ConfigError(
            f"nothing can listen on {web.host}, port {web.port} ({error.strerror or error}).",
            fix="Stop what listens there, or take another one: --port and --host, or web.port and web.host.",
        ) from None
    return opened


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
    sockets = _listen(web)
    web = web.model_copy(update={"port": sockets[0].getsockname()[1]})
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
            uvicorn.Server(config).run(sockets)
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
