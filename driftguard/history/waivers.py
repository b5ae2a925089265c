"""Which waiver covers a finding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache

from driftguard.model import Finding, FindingKind, Waiver


@lru_cache(maxsize=4096)
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(char) or re.escape(char) for char in glob), re.DOTALL)


def fits(glob: str, text: str) -> bool:
    """Whether ``text`` fits ``glob``, in which only ``*`` and ``?`` are wildcards."""
    return glob == "*" or _pattern(glob).fullmatch(text) is not None


def covers(
    waiver: Waiver, finding: Finding, now: datetime, tags: Mapping[str, str], path: str | None = None
) -> bool:
    """Whether ``waiver`` accepts ``finding`` at ``now``: not expired, and every selector fits.

    ``policy`` selects policy faults alone; ``path`` the property at fault (``path``, or the finding's
    subject for drift); ``resource`` the identifier, the logical or the physical id.
    """
    if waiver.expires_at <= now:
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
        and all(tags.get(name) == value for name, _, value in (tag.partition("=") for tag in waiver.tags))
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
