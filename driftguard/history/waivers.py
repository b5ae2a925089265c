"""Which waiver covers a finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from driftguard.model import Finding, FindingKind, Waiver
from driftguard.rules.globs import fits, literal
from driftguard.rules.waivers import tagged


def selectors(finding: Finding) -> dict[str, Any]:
    """What a waiver of ``finding``, and of no other, selects: fields of `Waiver`."""
    compliance = finding.kind is FindingKind.COMPLIANCE
    return {
        "policy": literal(finding.subject) if compliance else "*",
        "account": finding.key.account,
        "region": finding.key.region,
        "type": finding.key.type,
        "resource": literal(finding.key.identifier),
        # Indices of lists are stars in a subject, and stand for themselves there.
        "path": "*" if compliance else literal(finding.subject),
        "kinds": (finding.kind,),
    }


def covers(
    waiver: Waiver, finding: Finding, now: datetime, tags: Mapping[str, str], path: str | None = None
) -> bool:
    """Whether ``waiver`` accepts ``finding`` at ``now``: not expired, and every selector fits.

    ``policy`` selects policy faults alone; ``path`` the property at fault (``path``, or the finding's
    subject for drift); ``resource`` the identifier, the logical or the physical id.
    """
    if waiver.expires_at <= now:
        return False
    if waiver.kinds and finding.kind not in waiver.kinds:
        return False
    compliance = finding.kind is FindingKind.COMPLIANCE
    if waiver.policy != "*" and not (compliance and fits(waiver.policy, finding.subject)):
        return False
    place = (path or "") if compliance else finding.subject
    key = finding.key
    names = (key.identifier, finding.logical_id, finding.physical_id, str(key))
    return (
        fits(waiver.account, key.account)
        and fits(waiver.region, key.region)
        and fits(waiver.type, key.type)
        and any(fits(waiver.resource, name) for name in names)
        and fits(waiver.path, place)
        and all(tagged(tags, pair) for pair in waiver.tags)
    )


def waiver_of(
    waivers: Iterable[Waiver],
    finding: Finding,
    now: datetime,
    tags: Mapping[str, str],
    path: str | None = None,
) -> Waiver | None:
    """The waiver that covers ``finding``: of several, the one that holds longest."""
    fitting = [waiver for waiver in waivers if covers(waiver, finding, now, tags, path)]
    return max(fitting, key=lambda waiver: (waiver.expires_at, waiver.id), default=None)
