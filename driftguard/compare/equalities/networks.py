"""Addresses and protocols."""

from __future__ import annotations

import ipaddress
import re

from driftguard.compare.equalities.place import Place
from driftguard.compare.forms import scalar
from driftguard.model import Json

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html: these four are answered by name.
_PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}
_PROTOCOL_PROPERTY = re.compile(r"(IpProtocol|Protocol)$")


def ip_protocol(declared: Json, live: Json, place: Place) -> bool:
    """``6`` is ``tcp``; the names have no case."""
    if not _PROTOCOL_PROPERTY.search(place.name):
        return False
    one, other = scalar(declared).lower(), scalar(live).lower()
    return _PROTOCOLS.get(one, one) == _PROTOCOLS.get(other, other)


def ip_address(declared: Json, live: Json, place: Place) -> bool:
    """IPv6 addresses and ranges in another spelling (RFC 5952)."""
    if not (isinstance(declared, str) and isinstance(live, str)) or ":" not in declared or ":" not in live:
        return False
    try:
        return ipaddress.IPv6Interface(declared) == ipaddress.IPv6Interface(live)
    except ValueError:
        return False
