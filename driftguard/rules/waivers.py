"""Waivers: dated, owned acceptances of a fault.

`apply_waivers` matches them to evaluations and says which hold, which are over and which match nothing.
A waiver file is YAML::

    waivers:
    - id: W-2026-014
      policy: S3_BUCKET_LOGGING_ENABLED
      resource: access-logs-*
      account: "111111111111"
      reason: The bucket holds access logs itself.
      owner: platform@example.com
      approver: ciso@example.com
      expires_at: 2027-06-30
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from driftguard.errors import PolicyError, Where
from driftguard.model import ComplianceType, Evaluation, FindingKind, ResourceKey, Waiver
from driftguard.rules.globs import fits
from driftguard.rules.load import policy_files
from driftguard.rules.source import read


class WaiverEntry(BaseModel):
    """One waiver, as a file has it.  A day without a time is the last day on which it holds (UTC)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    reason: str = Field(min_length=5)
    owner: str = Field(min_length=1)
    approver: str = Field(min_length=1)
    expires_at: datetime
    created_at: datetime | None = None
    policy: str = "*"
    account: str = "*"
    region: str = "*"
    type: str = "*"
    resource: str = "*"
    path: str = "*"
    tags: tuple[str, ...] = ()
    kinds: tuple[FindingKind, ...] = ()
    ticket: str = ""

    @field_validator("expires_at", "created_at", mode="before")
    @classmethod
    def _day(cls, value: Any) -> Any:
        if isinstance(value, str) and len(value) == 10:
            return datetime.combine(date.fromisoformat(value), time(23, 59, 59), UTC)
        return value

    @field_validator("expires_at", "created_at")
    @classmethod
    def _aware(cls, value: datetime | None) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def load_waivers(files: Iterable[Path]) -> tuple[tuple[Waiver, ...], tuple[PolicyError, ...]]:
    """The waivers of all files, and the errors of those entries that are wrong; the others count."""
    found: dict[str, Waiver] = {}
    errors: list[PolicyError] = []
    named = list(files)
    errors += [
        PolicyError(
            "there is no such waiver file.", where=Where(str(path)), fix="Correct `policies.waivers`."
        )
        for path in named
        if not path.exists()
    ]
    for path in policy_files(path for path in named if path.exists()):
        try:
            document = read(path)
        except PolicyError as error:
            errors.append(error)
            continue
        entries = document.data.get("waivers") if isinstance(document.data, Mapping) else None
        if not isinstance(entries, list):
            errors.append(
                PolicyError(
                    "there is no list `waivers`.", where=document.where(), fix="Start with `waivers:`."
                )
            )
            continue
        for number, entry in enumerate(entries):
            where = document.where("waivers", number)
            try:
                given = WaiverEntry.model_validate(entry)
                if given.id in found:
                    raise PolicyError(
                        f"the waiver {given.id} stands here twice.", where=where, fix="Remove one."
                    )
                found[given.id] = Waiver(**given.model_dump(), source=str(where))
            except ValidationError as error:
                first = error.errors()[0]
                name = ".".join(str(step) for step in first["loc"])
                said = f"{first['msg'][0].lower()}{first['msg'][1:]}"
                errors.append(PolicyError(f"waiver `{name}`: {said}.", where=where, fix="Correct the entry."))
            except PolicyError as error:
                errors.append(error)
    return tuple(found.values()), tuple(errors)


def covers(
    waiver: Waiver, policies: Sequence[str], key: ResourceKey, path: str, tags: Mapping[str, str]
) -> bool:
    """Whether the waiver's selectors all match, its expiry left aside.  ``policies`` are id and aliases."""
    if waiver.kinds and FindingKind.COMPLIANCE not in waiver.kinds:
        return False
    if not any(fits(waiver.policy, name) for name in policies):
        return False
    pairs = (
        (key.account, waiver.account),
        (key.region, waiver.region),
        (key.type, waiver.type),
        (key.identifier, waiver.resource),
        (path, waiver.path),
    )
    if not all(fits(pattern, value) for value, pattern in pairs):
        return False
    return all(tagged(tags, pair) for pair in waiver.tags)


def tagged(tags: Mapping[str, str], pair: str) -> bool:
    """Whether ``tags`` hold ``key=value``, the value a glob; ``key`` alone: any value."""
    name, _, value = pair.partition("=")
    return name in tags and fits(value or "*", tags[name])


@dataclass(frozen=True, slots=True, kw_only=True)
class Waived:
    """What came of the waivers.

    ``holding`` maps the place of an evaluation in the given sequence to the waiver that accepts it;
    ``expired`` the same for one that is over, so that the fault is back; ``unmatched`` accept nothing.
    ``ending`` are those that hold and end within the notice.
    """

    holding: Mapping[int, Waiver]
    expired: Mapping[int, Waiver]
    unmatched: tuple[Waiver, ...]
    ending: tuple[Waiver, ...]

    def note(self, position: int) -> str:
        """What a report adds to the evaluation at ``position``: why it is accepted, or that it no longer is."""
        waiver = self.holding.get(position)
        if waiver is not None:
            return f"Accepted until {waiver.expires_at:%Y-%m-%d} by {waiver.approver} ({waiver.id}): {waiver.reason}"
        waiver = self.expired.get(position)
        return (
            f"The waiver {waiver.id} expired on {waiver.expires_at:%Y-%m-%d}." if waiver is not None else ""
        )


def apply_waivers(
    evaluations: Sequence[Evaluation],
    waivers: Sequence[Waiver],
    *,
    now: datetime,
    tags: Mapping[ResourceKey, Mapping[str, str]] | None = None,
    notice: timedelta = timedelta(days=14),
) -> Waived:
    """Match ``waivers`` to the faults among ``evaluations``; of several the one that ends last counts."""
    holding: dict[int, Waiver] = {}
    expired: dict[int, Waiver] = {}
    matched: set[str] = set()
    latest = sorted(waivers, key=lambda one: one.expires_at, reverse=True)
    for position, one in enumerate(evaluations):
        if one.compliance is not ComplianceType.NON_COMPLIANT:
            continue
        names = (one.policy, *one.aliases)
        carried = (tags or {}).get(one.key, {})
        fitting = [waiver for waiver in latest if covers(waiver, names, one.key, one.path, carried)]
        matched.update(waiver.id for waiver in fitting)
        if fitting:
            first = fitting[0]
            (holding if first.expires_at > now else expired)[position] = first
    return Waived(
        holding=holding,
        expired=expired,
        unmatched=tuple(one for one in waivers if one.id not in matched),
        ending=tuple(one for one in waivers if now < one.expires_at <= now + notice),
    )
