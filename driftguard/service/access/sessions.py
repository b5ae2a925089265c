"""Sessions of people: a random cookie here, its hash and what it allows in the store."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from driftguard.history.codec import from_iso, iso
from driftguard.history.port import Store
from driftguard.model import Json
from driftguard.service.access.roles import Holding, Permission, Principal, holdings_of
from driftguard.settings.web import WebSettings

COOKIE = "dg_session"
CSRF_COOKIE = "dg_csrf"
_KIND = "session"
_TOUCH = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Sessions:
    """Opens, reads and ends sessions.  One ends after its hours, or when it lies idle too long."""

    store: Store
    settings: WebSettings

    def open(
        self,
        user: str,
        holdings: Iterable[Holding],
        how: str,
        *,
        names: Iterable[str] = (),
        groups: Iterable[str] = (),
    ) -> tuple[str, str]:
        """Start a session; answers the cookie and its CSRF token.

        Whom the identity provider calls by ``names``, a member of ``groups``, may what the settings grant now, not
        what they granted when the session began.
        """
        cookie, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        now = datetime.now(UTC)
        value = {
            "user": user,
            "csrf": csrf,
            "seen": iso(now),
            "holdings": [
                {
                    "permissions": sorted(held.permissions),
                    "accounts": None if held.accounts is None else sorted(held.accounts),
                }
                for held in holdings
            ],
        }
        known = {"names": [name for name in names if name], "groups": list(groups)}
        if any(known.values()):
            value |= known
        end = now + timedelta(hours=self.settings.session_hours)
        self.store.put_document(_KIND, _hash(cookie), value, expires_at=end)
        self.store.audit(user, "session.open", user, {"how": how})
        return cookie, csrf

    def principal(self, cookie: str) -> Principal | None:
        """Whose session ``cookie`` is, or None when it is over or never was."""
        document = self.store.document(_KIND, _hash(cookie))
        if document is None:
            return None
        value, now = document.value, datetime.now(UTC)
        idle = now - from_iso(value["seen"])
        if idle > timedelta(minutes=self.settings.session_idle_minutes):
            self.store.take_document(_KIND, document.name)
            return None
        if idle > _TOUCH:
            self.store.put_document(
                _KIND, document.name, {**value, "seen": iso(now)}, expires_at=document.expires_at
            )
        held = self._holdings(value)
        if not held:
            self.store.take_document(_KIND, document.name)
            return None
        return Principal(
            name=str(value["user"]),
            kind="session",
            holdings=held,
            session=document.name,
            csrf=str(value["csrf"]),
        )

    def _holdings(self, value: Mapping[str, Json]) -> tuple[Holding, ...]:
        """What a session may now: by the grants, or as the one-time code said."""
        if "names" in value:
            return holdings_of(self.settings, value["names"], value["groups"])
        return tuple(
            Holding(
                permissions=frozenset(Permission(name) for name in held["permissions"]),
                accounts=None if held["accounts"] is None else frozenset(held["accounts"]),
            )
            for held in value["holdings"]
        )

    def close(self, principal: Principal) -> None:
        """End a session."""
        if self.store.take_document(_KIND, principal.session) is not None:
            self.store.audit(principal.name, "session.close", principal.name, {})


def _hash(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "replace")).hexdigest()
