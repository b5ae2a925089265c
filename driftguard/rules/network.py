"""Functions on address ranges and ports."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Any

from driftguard.model import Unknown
from driftguard.rules.values import HOLES, Reference, reason

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_ALL_PROTOCOLS = ("-1", "all")
_PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
_LAST_PORT = 65535


@lru_cache(maxsize=4096)
def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def is_world(cidr: Any) -> Any:
    """Whether a range is the whole internet, IPv4 or IPv6, in any spelling (``::0/0``, ``0.0.0.0/0``)."""
    if cidr.__class__ is not str:
        return Unknown(reason(cidr)) if cidr.__class__ in HOLES and cidr.__class__ is not Reference else False
    network = _network(cidr)
    return network is not None and network.prefixlen == 0


def cidr_contains(outer: Any, inner: Any) -> bool:
    """Whether ``inner`` lies within ``outer``; false for anything that is no range."""
    one = _network(outer) if outer.__class__ is str else None
    two = _network(inner) if inner.__class__ is str else None
    if isinstance(one, ipaddress.IPv4Network) and isinstance(two, ipaddress.IPv4Network):
        return two.subnet_of(one)
    if isinstance(one, ipaddress.IPv6Network) and isinstance(two, ipaddress.IPv6Network):
        return two.subnet_of(one)
    return False


def is_private(cidr: Any) -> bool:
    """Whether the whole range is private (RFC 1918, unique local, loopback, link local)."""
    network = _network(cidr) if cidr.__class__ is str else None
    return network is not None and network.prefixlen > 0 and network.is_private


def _port(value: Any) -> int | None:
    if value is None or value == "":
        return None
    return int(value)


def port_range_covers(first: Any, last: Any, port: Any) -> bool:
    """Whether ``port`` lies in ``first``..``last``; a missing end or -1 means every port."""
    low, high = _port(first), _port(last)
    if low is None and high is None:
        return True
    if low in (-1, None) and high in (-1, None):
        return True
    return (low or 0) <= int(port) <= (_LAST_PORT if high in (None, -1) else int(high or 0))


def opens_port(rule: Any, port: Any, protocol: str = "tcp") -> Any:
    """Whether a security group or network ACL rule in CloudFormation shape opens ``port``.

    Only protocol and ports decide; where one of them cannot be known the answer is an `Unknown`.
    """
    if rule.__class__ is not dict:
        return Unknown(reason(rule)) if rule.__class__ in HOLES else False
    ports = rule.get("PortRange")
    where = ports if ports.__class__ is dict else rule
    said = rule.get("IpProtocol", rule.get("Protocol", "-1"))
    first, last = where.get("FromPort", where.get("From")), where.get("ToPort", where.get("To"))
    for value in (said, ports, first, last):
        if value.__class__ in HOLES:
            return Unknown(reason(value))
    said = str(said).lower()
    if said in _ALL_PROTOCOLS:
        return True
    if _PROTOCOLS.get(said, said) != protocol:
        return False
    return port_range_covers(first, last, port)


def port_list(text: Any) -> list[list[int]]:
    """``"20-22,443"`` as ``[[20, 22], [443, 443]]``; a number and null are understood as well."""
    found = []
    for part in str("" if text is None else text).split(","):
        if part.strip():
            first, _, last = part.strip().partition("-")
            found.append([int(first), int(last or first)])
    return found


def range_within(first: Any, last: Any, text: Any) -> bool:
    """Whether every port of ``first``..``last`` is in the list of ranges ``text``."""
    low, high = _port(first), _port(last)
    if low is None or low == -1:
        low, high = 0, _LAST_PORT
    high = low if high is None else high
    return any(a <= low and high <= b for a, b in port_list(text))
