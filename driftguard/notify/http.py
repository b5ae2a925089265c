"""HTTPS out, without becoming a tool against our own network.

The name is resolved once, every address it has is judged, and the connection goes to the address that was
judged (no second look-up that could answer otherwise).  No redirect is followed, the answer's body is never
shown, and the metadata services stay forbidden even where private addresses are allowed.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    SSLError,
)

from driftguard.errors import NotifyError

_TIMEOUT = urllib3.Timeout(connect=5, read=15)
_METADATA = {
    ipaddress.ip_address(address)
    for address in (
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "100.100.100.200",
    )
}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Resolve = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """Every address of a name.  Raises `NotifyError`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotifyError(
            f"the name {host} cannot be resolved ({error}).", fix="Check the channel's address."
        ) from None
    return list(dict.fromkeys(str(row[4][0]) for row in found))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back: the status, and the value of a header if one was asked for."""

    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Http:
    """Posts to addresses that people configured."""

    resolver: Resolve = resolve
    ca_certs: str | None = None

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, allow_private: bool = False
    ) -> Answer:
        """POST and answer the status of a 2xx.  Raises `NotifyError`, final for what no retry cures."""
        host, port = guarded_host(url)
        parts = urlsplit(url)
        address = self._address(host, port, allow_private)
        pool = urllib3.HTTPSConnectionPool(
            address,
            port,
            timeout=_TIMEOUT,
            retries=False,
            cert_reqs="CERT_REQUIRED",
            ca_certs=self.ca_certs,
            assert_hostname=host,
            server_hostname=host,
        )
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        named = host if port == 443 else f"{host}:{port}"
        try:
            answer = pool.urlopen(
                "POST",
                target,
                body=body,
                headers={"User-Agent": "driftguard", **headers, "Host": named},
                redirect=False,
                preload_content=False,
            )
            status, got = answer.status, dict(answer.headers)
            answer.release_conn()
        except (
            NewConnectionError,
            ConnectTimeoutError,
            NameResolutionError,
            SSLError,
            MaxRetryError,
        ) as error:
            raise NotifyError(
                f"{host} cannot be reached ({type(error).__name__}).", fix="Check the network."
            ) from None
        except HTTPError as error:
            raise NotifyError(f"{host} broke off ({type(error).__name__}).", uncertain=True) from None
        finally:
            pool.close()
        if not 200 <= status < 300:
            raise NotifyError(
                f"{host} answered {status}.",
                fix="Check the address and the key of the channel.",
                final=300 <= status < 500 and status not in (408, 425, 429),
            )
        return Answer(status=status, headers=got)

    def _address(self, host: str, port: int, allow_private: bool) -> str:
        addresses = self.resolver(host, port)
        for text in addresses:
            refuse(text, host, allow_private)
        if not addresses:
            raise NotifyError(f"the name {host} has no address.", fix="Check the channel's address.")
        return addresses[0]


def guarded_host(url: str) -> tuple[str, int]:
    """Host and port of an https address.  Raises `NotifyError` for any other."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 443
    except ValueError:
        host, port, parts = None, 443, urlsplit("")
    if parts.scheme != "https" or not host:
        raise NotifyError(
            "a channel's address must be an https one.", fix="Write https://HOST/PATH.", final=True
        )
    if parts.username or parts.password:
        raise NotifyError("a channel's address holds a password.", fix="Use `secret_env`.", final=True)
    return host, port


def refuse(text: str, host: str, allow_private: bool) -> None:
    """Raise `NotifyError` for an address inside: loopback, link-local, private, reserved, metadata."""
    address = ipaddress.ip_address(text.split("%")[0])
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    teredo = getattr(address, "teredo", None)
    translated = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    for one in filter(None, (address, mapped, teredo[1] if teredo else None, translated)):
        inside = (not one.is_global or one.is_multicast) and not (allow_private and one.is_private)
        never = (
            one in _METADATA or one.is_link_local or one.is_loopback or one.is_unspecified or one.is_multicast
        )
        if inside or never:
            raise NotifyError(
                f"{host} is an address inside our own network ({one}).",
                fix="Use a public address, or `allow_private: true` if it is meant to be private.",
                final=True,
            )
