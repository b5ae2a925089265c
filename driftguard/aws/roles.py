"""botocore sessions: one for our own credentials, one for each assumed role, loaders shared."""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Callable
from typing import Any

from botocore.credentials import CredentialProvider, CredentialResolver, RefreshableCredentials
from botocore.session import Session

# botocore logs every failed refresh with a traceback; the same failure reaches the caller as one sentence.
logging.getLogger("botocore.credentials").setLevel(logging.CRITICAL)

Assume = Callable[[], dict[str, str]]
"""Fetches credentials: ``access_key``, ``secret_key``, ``token`` and ``expiry_time`` (ISO 8601)."""


class _AssumedRole(CredentialProvider):  # type: ignore[misc]  # botocore has no types
    METHOD = "assume-role"
    CANONICAL_NAME = "driftguard"

    def __init__(self, assume: Assume) -> None:
        super().__init__()
        self._assume = assume

    def load(self) -> Any:
        return RefreshableCredentials.create_from_metadata(
            metadata=self._assume(), refresh_using=self._assume, method=self.METHOD
        )


def base_session(profile: str | None) -> Session:
    """The session of botocore's own credential chain.

    AWS_REGION counts as in every other SDK; botocore alone reads only AWS_DEFAULT_REGION
    (https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html).
    """
    session = Session(profile=profile)
    if region := os.environ.get("AWS_REGION"):
        session.set_config_variable("region", region)
    return session


def role_session(base: Session, assume: Assume) -> Session:
    """A session whose credentials ``assume`` fetches and renews before they expire.

    It shares the base's loaders and copies its event handlers, so that whatever was hooked into the base
    (a proxy, an in-process transport) serves the role too.
    """
    emitter = copy.copy(base.get_component("event_emitter"))
    session = Session(event_hooks=emitter, include_builtin_handlers=False)
    # Parsed service models and endpoint rules are read once per process, not once per account.
    session.register_component("data_loader", base.get_component("data_loader"))
    session.register_component("credential_provider", CredentialResolver([_AssumedRole(assume)]))
    region = base.get_config_variable("region")
    if region:
        session.set_config_variable("region", region)
    return session
