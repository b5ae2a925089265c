"""What a template's Metadata says about policies.

Two conventions are read on a resource::

    Metadata:
      guard:                            # CloudFormation Guard's: the rule is not judged here
        SuppressedRules: [S3_BUCKET_LOGGING_ENABLED]
      driftguard:                       # ours: judged, and waived with a reason until it expires
        waive:
          - policy: S3_BUCKET_LOGGING_ENABLED
            reason: holds access logs itself
            owner: platform@example.com
            expires: 2027-06-30

cfn-nag's ``rules_to_suppress`` counts for the policies that name the cfn-nag rule in ``suppressed_by``.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from driftguard.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One ``waive`` entry; ``expires`` is the last day on which it holds, None means no end."""

    policy: str
    reason: str
    owner: str = ""
    expires: date | None = None

    def holds(self, now: datetime) -> bool:
        return self.expires is None or now.astimezone(UTC).date() <= self.expires


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressions:
    """What one resource's Metadata asks for; ``problems`` are entries that cannot be honoured, and why."""

    suppressed: frozenset[str] = frozenset()
    accepted: tuple[Accepted, ...] = ()
    problems: tuple[str, ...] = ()

    def suppresses(self, names: tuple[str, ...]) -> bool:
        """Whether a policy with these names (id and aliases) is not to be judged."""
        return not self.suppressed.isdisjoint(names)

    def waiver_of(self, names: tuple[str, ...]) -> Accepted | None:
        """The entry that accepts a fault of a policy with these names."""
        return next(
            (one for one in self.accepted if any(fnmatch.fnmatchcase(name, one.policy) for name in names)),
            None,
        )


NONE = Suppressions()


def suppressions(metadata: Mapping[str, Json] | None) -> Suppressions:
    """Read both conventions out of a resource's Metadata; never raises."""
    if not isinstance(metadata, Mapping) or not metadata:
        return NONE
    names = {
        *_guard(metadata.get("guard")),
        *_cfn_nag(metadata.get("cfn_nag")),
        *_cfn_nag(metadata.get("cfn-nag")),
    }
    accepted: list[Accepted] = []
    problems: list[str] = []
    ours = metadata.get("driftguard")
    entries = ours.get("waive", ()) if isinstance(ours, Mapping) else ()
    for entry in entries if isinstance(entries, list | tuple) else [entries]:
        found = _entry(entry)
        if isinstance(found, Accepted):
            accepted.append(found)
        else:
            problems.append(found)
    return Suppressions(suppressed=frozenset(names), accepted=tuple(accepted), problems=tuple(problems))


def _guard(value: Any) -> list[str]:
    """Names, or maps of name to reason, as both are in use."""
    rules = value.get("SuppressedRules") if isinstance(value, Mapping) else None
    found: list[str] = []
    for rule in rules if isinstance(rules, list | tuple) else [rules]:
        if isinstance(rule, str):
            found.append(rule)
        elif isinstance(rule, Mapping):
            found.extend(str(name) for name in rule)
    return found


def _cfn_nag(value: Any) -> list[str]:
    rules = value.get("rules_to_suppress") if isinstance(value, Mapping) else None
    if not isinstance(rules, list | tuple):
        return []
    return [str(rule["id"]) for rule in rules if isinstance(rule, Mapping) and rule.get("id")]


def _entry(entry: Any) -> Accepted | str:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("policy"), str):
        return "an entry of Metadata.driftguard.waive names no policy."
    policy, reason = entry["policy"], entry.get("reason")
    if not isinstance(reason, str) or not reason.strip():
        return f"Metadata.driftguard.waive of {policy} gives no reason, and does not count."
    expires = entry.get("expires")
    try:
        until = date.fromisoformat(str(expires)[:10]) if expires is not None else None
    except ValueError:
        return (
            f"Metadata.driftguard.waive of {policy}: expires is no date (YYYY-MM-DD), and it does not count."
        )
    return Accepted(policy=policy, reason=reason.strip(), owner=str(entry.get("owner", "")), expires=until)
