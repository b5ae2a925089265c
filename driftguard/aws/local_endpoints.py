"""Endpoints that are an address instead of a name."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit


def drop_account_prefix(request: Any, **_: object) -> None:
    """botocore's ``before-sign`` handler: an address takes no host name in front.

    S3 Control is called at ``ACCOUNT.HOST``, also where AWS_ENDPOINT_URL names the host.  In front of an
    IP address that is no name at all; a VPC endpoint's name keeps it.
    """
    url = urlsplit(request.url)
    prefix, _dot, rest = (url.hostname or "").partition(".")
    try:
        ip_address(rest)
    except ValueError:
        return
    if len(prefix) == 12 and prefix.isdigit():
        request.url = url._replace(netloc=url.netloc.removeprefix(f"{prefix}.")).geturl()
