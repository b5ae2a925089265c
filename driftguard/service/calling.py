"""Who calls, for every page and endpoint, and what they may."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from driftguard.errors import InputError
from driftguard.model import ResourceKey
from driftguard.service.access.roles import Permission, Principal
from driftguard.service.access.scoped import ScopedStore
from driftguard.service.actions import Actions
from driftguard.service.problems import ForbiddenError
from driftguard.service.services import Services

_SEPARATOR = "\x1f"


def services_of(request: Request) -> Services:
    """The services of the application that answers."""
    found: Services = request.app.state.services
    return found


def principal_of(request: Request) -> Principal:
    """Who calls.  The gate let nobody through without a name."""
    found = getattr(request.state, "principal", None)
    if not isinstance(found, Principal):
        raise ForbiddenError("nobody is signed in.", fix="Sign in first.")
    return found


def needs(permission: Permission) -> Callable[[Request], Principal]:
    """A dependency that lets only holders of ``permission`` (on any account) pass."""

    def check(request: Request) -> Principal:
        principal = principal_of(request)
        Actions(services_of(request), principal).allow(permission)
        return principal

    return check


def everywhere(permission: Permission) -> Callable[[Request], Principal]:
    """A dependency that lets only holders of ``permission`` on all accounts pass."""

    def check(request: Request) -> Principal:
        principal = principal_of(request)
        if not principal.everywhere(permission):
            raise ForbiddenError(
                f"{principal.name} may not {permission.value} on all accounts.",
                fix="Ask an administrator for a role that allows it.",
            )
        return principal

    return check


def reading_of(request: Request, _: Annotated[Principal, Depends(needs(Permission.READ))]) -> ScopedStore:
    """The store as the caller may see it."""
    return ScopedStore(services_of(request).store, principal_of(request))


def actions_of(request: Request) -> Actions:
    """The deeds of the caller; each checks its own permission."""
    return Actions(services_of(request), principal_of(request))


def key_id(key: ResourceKey) -> str:
    """A resource key as one word for addresses."""
    parts = (key.partition, key.account, key.region, key.type, key.identifier)
    return base64.urlsafe_b64encode(_SEPARATOR.join(parts).encode()).decode().rstrip("=")


def key_of_id(text: str) -> ResourceKey:
    """The inverse of `key_id`.  Raises `InputError`."""
    try:
        parts = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().split(_SEPARATOR, 4)
    except (ValueError, binascii.Error):
        parts = []
    if len(parts) != 5 or any("\0" in part for part in parts):
        raise InputError("this is not the id of a resource.", fix="The lists give the ids.")
    return ResourceKey(
        partition=parts[0], account=parts[1], region=parts[2], type=parts[3], identifier=parts[4]
    )


Reading = Annotated[ScopedStore, Depends(reading_of)]
Acting = Annotated[Actions, Depends(actions_of)]
Serving = Annotated[Services, Depends(services_of)]
Calling = Annotated[Principal, Depends(needs(Permission.READ))]
