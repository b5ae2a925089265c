"""Addresses and protocols."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from driftguard.compare.equalities.place import Place
from driftguard.compare.forms import scalar
from driftguard.model import Json

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html: these four are answered by name.
_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}
_RANGE_PROPERTY = re.compile(r"(Cidr|CIDR|IpRange|Addresses$)")
_PROTOCOL_PROPERTY = re.compile(r"(IpProtocol|Protocol)$")


def ip_protocol(declared: Json, live: Json, place: Place) -> bool:
    """``6`` is ``tcp``; the names have no case."""
    if not _PROTOCOL_PROPERTY.search(place.name):
        return False
    one, other = scalar(declared).lower(), scalar(live).lower()
    return _PROTOCOLS.get(one, one) == _PROTOCOLS.get(other, other)


def all_protocols(declared: Json, live: Json, place: Place) -> bool:
    """A rule for all protocols has no ports: EC2 ignores those that are given with ``-1``.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
    """
    return ports_mean_nothing(place)


def ports_mean_nothing(place: Place) -> bool:
    """Whether the place is a port of a rule for all protocols."""
    rule = place.declared
    if place.name not in ("FromPort", "ToPort") or not isinstance(rule, Mapping) or not place.in_schema:
        return False
    return scalar(rule.get("IpProtocol", "")) in ("-1", "all")


def network_range(declared: Json, live: Json, place: Place) -> bool:
    """A range that names a host is answered as its network: ``10.0.0.7/8`` is ``10.0.0.0/8``.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
    """
    if not (isinstance(declared, str) and isinstance(live, str)) or not _RANGE_PROPERTY.search(place.name):
        return False
    if "/" not in declared or "/" not in live:
        return False
    try:
        one, other = (ipaddress.ip_network(text, strict=False) for text in (declared, live))
    except ValueError:
        return False
    return one == other and str(other) == live


def ip_address(declared: Json, live: Json, place: Place) -> bool:
    """IPv6 addresses and ranges in another spelling (RFC 5952)."""
    if not (isinstance(declared, str) and isinstance(live, str)) or ":" not in declared or ":" not in live:
        return False
    try:
        return ipaddress.IPv6Interface(declared) == ipaddress.IPv6Interface(live)
    except ValueError:
        return False
