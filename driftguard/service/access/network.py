"""Who can reach an address, and which one is ours."""

from __future__ import annotations

import ipaddress

from driftguard.settings.web import WebSettings


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def is_no_address(host: str) -> bool:
    """Whether ``host`` stands for every address of this machine, so that nobody can go there."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return not host


def address(web: WebSettings) -> str:
    """Where people reach the service."""
    host = f"[{web.host}]" if ":" in web.host else web.host
    scheme = "https" if web.tls_certificate else "http"
    return web.public_url.rstrip("/") or f"{scheme}://{host}:{web.port}"
