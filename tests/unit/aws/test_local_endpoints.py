"""S3 Control at an address and at a name."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from driftguard.aws.local_endpoints import drop_account_prefix


@pytest.mark.parametrize(
    ("url", "called"),
    [
        ("http://111111111111.127.0.0.1:4599/v2?a=b", "http://127.0.0.1:4599/v2?a=b"),
        ("http://127.0.0.1:4599/v2", "http://127.0.0.1:4599/v2"),
        ("https://111111111111.control.vpce-1.s3.us-east-1.vpce.amazonaws.com/v2",) * 2,
        ("https://111111111111.s3-control.us-east-1.amazonaws.com/v2",) * 2,
    ],
)
def test_only_an_address_loses_the_account_in_front(url: str, called: str) -> None:
    request = SimpleNamespace(url=url)
    drop_account_prefix(request)
    assert request.url == called
