"""API tokens and one-time sign-in links.  The store knows their hashes only.

A token reads ``dg_ID_SECRET``; the secret has 256 random bits, so that one round of SHA-256 is enough.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from driftguard.errors import InputError
from driftguard.history.kept import Document
from driftguard.history.port import Store
from driftguard.model import Json
from driftguard.service.access.roles import Holding, Permission, Principal

_KIND, _LINK = "token", "sign-in"
_FORM = re.compile(r"dg_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_LONGEST_DAYS = 366
LINK_MINUTES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is known of a token: never the token itself."""

    id: str
    name: str
    scopes: tuple[str, ...]
    accounts: tuple[str, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime | None


def create_token(
    store: Store,
    *,
    name: str,
    scopes: Iterable[str],
    accounts: Iterable[str] = (),
    days: int = 90,
    actor: str,
) -> str:
    """Make a token and answer it; it cannot be read again.  Raises `InputError` for an unknown scope."""
    listed = tuple(dict.fromkeys(scopes))
    unknown = [scope for scope in listed if scope not in set(Permission)]
    if unknown or not listed:
        raise InputError(
            f"there is no scope `{unknown[0]}`." if unknown else "a token needs a scope.",
            fix=f"Choose of: {', '.join(Permission)}.",
        )
    if not 1 <= days <= _LONGEST_DAYS:
        raise InputError("a token lives for 1 to 366 days.")
    if not name.strip() or len(name) > 80:
        raise InputError("a token needs a name of at most 80 letters.", fix="Say what will use it.")
    identity, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    value = {
        "name": name,
        "scopes": list(listed),
        "accounts": sorted(set(accounts)),
        "created_by": actor,
        "hash": _hash(secret),
    }
    store.put_document(_KIND, identity, value, expires_at=datetime.now(UTC) + timedelta(days=days))
    store.audit(actor, "token.create", identity, {"name": name, "scopes": list(listed), "days": days})
    return f"dg_{identity}_{secret}"


def list_tokens(store: Store) -> list[Token]:
    """Every token that is not over."""
    return [_token(document) for document in store.documents(_KIND)]


def revoke_token(store: Store, token_id: str, *, actor: str) -> None:
    """Make a token worthless at once.  Raises `InputError` when there is none with this id."""
    if store.take_document(_KIND, token_id) is None:
        raise InputError(f"there is no token {token_id}.", fix="`driftguard token list` shows them.")
    store.audit(actor, "token.revoke", token_id, {})


def principal_of_token(store: Store, text: str) -> Principal | None:
    """Whoever holds the token ``text``, or None.  The comparison takes the same time for every wrong one."""
    match = _FORM.fullmatch(text)
    document = store.document(_KIND, match[1]) if match else None
    expected = str(document.value["hash"]) if document else "0" * 64
    if not hmac.compare_digest(expected, _hash(match[2] if match else "")) or document is None:
        return None
    token = _token(document)
    held = Holding(
        permissions=frozenset(Permission(scope) for scope in token.scopes),
        accounts=frozenset(token.accounts) or None,
    )
    return Principal(name=f"token:{token.name}", kind="token", holdings=(held,), session=token.id)


def create_link(store: Store, *, user: str, role: str, accounts: Iterable[str] = (), actor: str) -> str:
    """A one-time sign-in code for ``user`` with ``role``, good for a quarter of an hour."""
    code = secrets.token_urlsafe(32)
    value = {"user": user, "role": role, "accounts": sorted(set(accounts))}
    store.put_document(
        _LINK, _hash(code), value, expires_at=datetime.now(UTC) + timedelta(minutes=LINK_MINUTES)
    )
    store.audit(actor, "sign-in.link", user, {"role": role})
    return code


def redeem_link(store: Store, code: str) -> Mapping[str, Json] | None:
    """What the code stands for (``user``, ``role``, ``accounts``); it is used up by asking."""
    document = store.take_document(_LINK, _hash(code))
    return None if document is None else document.value


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _token(document: Document) -> Token:
    value = document.value
    return Token(
        id=document.name,
        name=str(value["name"]),
        scopes=tuple(value["scopes"]),
        accounts=tuple(value["accounts"]),
        created_by=str(value["created_by"]),
        created_at=document.created_at,
        expires_at=document.expires_at,
    )
