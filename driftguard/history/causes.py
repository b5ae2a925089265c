"""Root causes: findings that one act explains, as one row across the fleet.

A cause is looked for in this order, and needs two findings at least: the same principal's session, the same
place of one template (the same logical id and property with the same values in several stacks), the same
stack, the same policy.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from driftguard.history.severity import worst
from driftguard.model import Cause, ChangedBy, Drift, Finding, FindingKind

_SESSION_SECONDS = 3600


def group(findings: Iterable[Finding], drifts: Iterable[Drift] = ()) -> tuple[Cause, ...]:
    """The causes of open ``findings``, the most urgent first: severity, blast radius, age.

    ``drifts`` bring template locations.  A finding belongs to one cause at most.
    """
    opened = [finding for finding in findings if finding.open]
    places = _places(drifts)
    candidates: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    titles: dict[tuple[str, str], str] = {}
    own: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for finding in opened:
        for kind, key, title in _keys(finding, places):
            candidates[(kind, key)].append(finding)
            titles[(kind, key)] = title
            own[finding.fingerprint].append((kind, key))
    chosen: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in opened:
        shared = next((name for name in own[finding.fingerprint] if len(candidates[name]) > 1), None)
        if shared is not None:
            chosen[shared].append(finding)
    causes = [_cause(name, titles[name], listed) for name, listed in chosen.items() if len(listed) > 1]
    return tuple(sorted(causes, key=lambda c: (c.severity.rank, -c.blast_radius, c.first_seen, c.id)))


def assign(findings: Iterable[Finding], causes: Iterable[Cause]) -> tuple[Finding, ...]:
    """``findings`` with the id of their cause."""
    of = {name: cause.id for cause in causes for name in cause.fingerprints}
    return tuple(replace(finding, cause=of.get(finding.fingerprint)) for finding in findings)


def _places(drifts: Iterable[Drift]) -> Mapping[tuple[object, str], str]:
    return {
        (drift.key, drift.logical_id): f"{drift.location.file}:{drift.location.line}"
        for drift in drifts
        if drift.location is not None
    }


def _keys(finding: Finding, places: Mapping[tuple[object, str], str]) -> Iterator[tuple[str, str, str]]:
    """(kind, key, title) of each cause that ``finding`` could have, the most telling first."""
    by = finding.changed_by
    if by is not None:
        session = by.session or f"{int(by.time.timestamp()) // _SESSION_SECONDS}"
        title = f"{by.principal} by {by.source}, {by.time:%Y-%m-%d %H:%M} UTC"
        yield "SESSION", f"{by.principal}\x1f{session}", title
    if finding.kind is FindingKind.COMPLIANCE:
        place = places.get((finding.key, finding.logical_id))
        if place:
            yield "TEMPLATE", f"{place}\x1f{finding.subject}", f"{place}: {finding.subject}"
        yield "POLICY", finding.subject, finding.title
        return
    if finding.logical_id and finding.subject:
        # The same property of the same logical id with the same values: one template, deployed many times.
        values = hashlib.sha256(finding.detail.encode()).hexdigest()[:16]
        place = places.get((finding.key, finding.logical_id), finding.logical_id)
        yield (
            "TEMPLATE",
            f"{finding.key.type}\x1f{place}\x1f{finding.subject}\x1f{values}",
            f"{place}{finding.subject}",
        )
    if finding.stack:
        stack = f"{finding.key.account}\x1f{finding.key.region}\x1f{finding.stack}"
        yield "STACK", stack, f"{finding.stack} ({finding.key.account}, {finding.key.region})"


def _cause(name: tuple[str, str], title: str, findings: list[Finding]) -> Cause:
    return Cause(
        id=hashlib.sha256("\x1f".join(name).encode()).hexdigest()[:16],
        kind=name[0],
        title=title,
        fingerprints=tuple(sorted(finding.fingerprint for finding in findings)),
        resources=len({finding.key for finding in findings}),
        accounts=len({finding.key.account for finding in findings}),
        severity=worst(finding.severity for finding in findings),
        first_seen=min(finding.first_seen for finding in findings),
        changed_by=_actor(findings),
    )


def _actor(findings: list[Finding]) -> ChangedBy | None:
    """Who did it: the first act of the one principal whom all findings name."""
    acts = [finding.changed_by for finding in findings]
    named = [by for by in acts if by is not None]
    if not named or len(named) < len(acts) or len({by.principal for by in named}) > 1:
        return None
    return min(named, key=lambda by: by.time)
