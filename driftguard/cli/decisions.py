"""What every acceptance asks for: owner, reason, approver, expiry."""

from __future__ import annotations

import functools
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from driftguard.cli.filters import moment
from driftguard.errors import InputError

if TYPE_CHECKING:
    from driftguard.history.port import Store
    from driftguard.model import ResourceKey, Waiver

F = TypeVar("F", bound=Callable[..., Any])
_LONGEST_DAYS = 366
_SHORTEST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who accepts what, why and until when (UTC)."""

    owner: str
    reason: str
    approver: str
    ticket: str
    expires_at: datetime
    made_at: datetime

    def waiver(self, **selectors: Any) -> Waiver:
        """The waiver that this decision makes of what ``selectors`` (fields of `Waiver`) name."""
        from driftguard.model import Waiver

        return Waiver(
            id=f"w-{secrets.token_hex(4)}",
            reason=self.reason,
            owner=self.owner,
            approver=self.approver or self.owner,
            ticket=self.ticket,
            created_at=self.made_at,
            expires_at=self.expires_at,
            **selectors,
        )


def decision_options(command: F) -> F:
    """Give ``command`` the options of a decision; it receives one `Decision` named ``decision``."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        now = datetime.now(UTC)
        given = {name: kwargs.pop(name) for name in ("owner", "reason", "approver", "ticket")}
        refuse_short("reason", given["reason"], "why this is accepted")
        if not given["owner"].strip():
            raise InputError("an owner is needed.", fix="Say with --owner who answers for it.")
        decision = Decision(**given, expires_at=expiry(kwargs.pop("expires"), now), made_at=now)
        return command(*args, decision=decision, **kwargs)

    for option in (
        click.option(
            "--expires", default="90d", show_default=True, help="Days (90d) or a date (2027-01-31)."
        ),
        click.option("--ticket", default="", help="A ticket that holds the discussion."),
        click.option("--approver", default="", help="Who approved; default: the owner."),
        click.option("--reason", required=True, help="Why this is accepted."),
        click.option("--owner", required=True, help="Who answers for it."),
    ):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]  # functools.wraps keeps the signature that click reads


def refuse_short(what: str, text: str, says: str) -> None:
    """Raises `InputError` when ``text`` is too short to say anything."""
    if len(text.strip()) < _SHORTEST:
        given = f"a {what} has {_SHORTEST} characters at least." if text.strip() else f"a {what} is needed."
        raise InputError(given, fix=f"Say with --{what} {says}.")


def expiry(text: str, now: datetime) -> datetime:
    """When an acceptance ends: ``90d`` from now, or a date.  It must be in the future, and within a year."""
    days = re.fullmatch(r"(\d{1,9})d", text.strip())
    if days:
        end = now + timedelta(days=min(int(days[1]), _LONGEST_DAYS + 1))
    else:
        try:
            dated = moment(text.strip())
        except InputError:
            dated = None
        if dated is None:
            raise InputError(f"{text!r} is no expiry.", fix="Write days as 90d, or a date as 2027-01-31.")
        end = dated
    if end <= now:
        raise InputError(
            f"the expiry {text} is not in the future.", fix="Write days as 90d, or a date as 2027-01-31."
        )
    if end > now + timedelta(days=_LONGEST_DAYS):
        raise InputError(
            f"the expiry {text} is more than a year away.", fix="Accept for a year at most, then look again."
        )
    return end


def one_resource(store: Store, text: str) -> ResourceKey:
    """The one resource that ``text`` names.  Raises `InputError` when it is none or several.

    A bucket and its policy have one name (``AWS::S3::Bucket``, ``AWS::S3::BucketPolicy``): it means the bucket.
    """
    parts = text.split("/", 3)
    whole = len(parts) == 4 and re.fullmatch(r"\d{12}", parts[0]) is not None
    keys = [key for key in store.find_keys(parts[3]) if str(key) == text] if whole else store.find_keys(text)
    owner = min(keys, key=lambda key: len(key.type), default=None)
    if owner is not None and all(_lies_on(key, owner) for key in keys):
        return owner
    if not keys:
        raise InputError(
            f"no resource is known as {text!r}.", fix="`driftguard resources --search` finds it."
        )
    shown = "".join(f"\n  {key}" for key in keys[:10])
    raise InputError(f"{text!r} names {len(keys)} resources.", fix=f"Give one of these:{shown}")


def _lies_on(key: ResourceKey, owner: ResourceKey) -> bool:
    same_place = (key.account, key.region, key.identifier) == (owner.account, owner.region, owner.identifier)
    return key == owner or (same_place and key.type.startswith(owner.type))
