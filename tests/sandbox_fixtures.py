"""Fixtures: an empty local AWS, in process (``sandbox``) and over HTTP (``sandbox_http``)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import boto3
import pytest

if TYPE_CHECKING:
    from driftguard.sandbox.facade import Sandbox


@cache
def _shared() -> Sandbox:
    from driftguard.sandbox.facade import Sandbox

    # Moto's state is global to the process: one sandbox serves all tests of it, emptied before each.
    return Sandbox()


@pytest.fixture
def sandbox() -> Sandbox:
    """An empty sandbox in this process."""
    found = _shared()
    found.reset()
    return found


@pytest.fixture
def sandbox_http(sandbox: Sandbox) -> Iterator[Sandbox]:
    """An empty sandbox that also listens on a free port of this machine."""
    sandbox.serve(0)
    yield sandbox
    sandbox.close()


def http_session(
    sandbox: Sandbox, *, account: str | None = None, region: str = "ap-northeast-2"
) -> boto3.Session:
    """A plain boto3 session with the variables of the sandbox as its credentials."""
    variables = sandbox.environment(account=account, region=region)
    return boto3.Session(
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=region,
    )
