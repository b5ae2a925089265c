"""Roles and what they allow, on which accounts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from driftguard.settings.web import WebSettings


class Permission(StrEnum):
    """One kind of deed."""

    READ = "read"
    SCAN = "scan"
    DECIDE = "decide"
    """Waive a finding, accept a state."""
    PLAN = "plan"
    APPROVE = "approve"
    AUDIT = "audit"
    ADMIN = "admin"


_READ = frozenset({Permission.READ})
_OPERATE = _READ | {Permission.SCAN, Permission.DECIDE, Permission.PLAN}
_APPROVE = _OPERATE | {Permission.APPROVE, Permission.AUDIT}

ROLES: dict[str, frozenset[Permission]] = {
    "viewer": _READ,
    "operator": _OPERATE,
    "approver": _APPROVE,
    "admin": _APPROVE | {Permission.ADMIN},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Permissions on some accounts; ``accounts`` is None for all of them."""

    permissions: frozenset[Permission]
    accounts: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who was let in: a person by a session, a machine by a token (``kind``)."""

    name: str
    kind: str
    holdings: tuple[Holding, ...]
    session: str = ""
    csrf: str = ""

    def accounts(self, permission: Permission) -> frozenset[str] | None:
        """The accounts on which ``permission`` is held: None for all, an empty set for none."""
        held = [holding for holding in self.holdings if permission in holding.permissions]
        if any(holding.accounts is None for holding in held):
            return None
        return frozenset(account for holding in held for account in holding.accounts or ())

    def can(self, permission: Permission, account: str | None = None) -> bool:
        """Whether ``permission`` is held on ``account``; without one: on any account at all."""
        accounts = self.accounts(permission)
        if accounts is None:
            return True
        return bool(accounts) if account is None else account in accounts

    def everywhere(self, permission: Permission) -> bool:
        """Whether ``permission`` is held on all accounts."""
        return self.accounts(permission) is None


def holding(role: str, accounts: Iterable[str] = ()) -> Holding:
    """What ``role`` holds on ``accounts``; none named: on all."""
    listed = frozenset(accounts)
    return Holding(permissions=ROLES[role], accounts=listed or None)


def holdings_of(settings: WebSettings, names: Iterable[str], groups: Iterable[str]) -> tuple[Holding, ...]:
    """What the settings grant to a person known as ``names`` and member of ``groups``.

    A grant that names OUs of which no account is known grants nothing: it fails closed.
    """
    known, memberships = [name.lower() for name in names if name], set(groups)
    found = []
    for grant in settings.grants:
        named = any(fnmatchcase(name, pattern.lower()) for name in known for pattern in grant.users)
        if not named and not memberships & set(grant.groups):
            continue
        accounts = set(grant.accounts)
        for unit in grant.organizational_units:
            accounts |= set(settings.organizational_units.get(unit, ()))
        narrowed = bool(grant.accounts or grant.organizational_units)
        found.append(
            Holding(permissions=ROLES[grant.role], accounts=frozenset(accounts) if narrowed else None)
        )
    return tuple(found)
