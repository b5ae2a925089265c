"""Waivers of a run: those of files and templates beside the store's, and what there is to say of them.  Pure."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from driftguard.history.waivers import covers
from driftguard.model import (
    ComplianceType,
    DeclaredResource,
    Evaluation,
    Finding,
    FindingKind,
    ResourceKey,
    Waiver,
)
from driftguard.rules import Catalogue
from driftguard.rules.globs import literal
from driftguard.rules.suppressions import Accepted, Suppressions, suppressions

_NOTICE = timedelta(days=14)
_FOREVER = datetime.max.replace(tzinfo=UTC)
_SUPPRESSED = "Suppressed in the template's Metadata."


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptances:
    """The waivers of a run, and what is wrong with some of them."""

    waivers: tuple[Waiver, ...]
    filed: frozenset[str] = frozenset()
    """The ids of those that stand in files."""
    notes: tuple[str, ...] = ()


def gathered(
    stored: Iterable[Waiver],
    filed: Iterable[Waiver],
    declared: Iterable[DeclaredResource],
    catalogue: Catalogue,
) -> Acceptances:
    """The store's waivers, those of files (which win by their id) and those in Metadata of deployed templates."""
    files = {one.id: one for one in filed}
    by_id = {one.id: one for one in stored} | files
    named = [_by_id_of_policy(one, catalogue) for one in by_id.values()]
    notes: list[str] = []
    for one in declared:
        said = suppressions(one.metadata)
        place = f"{one.stack_name}/{one.logical_id}"
        notes += [f"{place}: {problem}" for problem in said.problems]
        if one.key is not None:
            for entry in said.accepted:
                named += _of_template(entry, place, one.key, catalogue)
    return Acceptances(waivers=tuple(named), filed=frozenset(files), notes=tuple(dict.fromkeys(notes)))


def in_force(
    waivers: Iterable[Waiver], filed: Set[str], findings: Iterable[Finding], now: datetime
) -> tuple[Waiver, ...]:
    """What the report keeps of waivers, for the store does not: all of files that hold at ``now``, and those
    of templates that accept one of ``findings`` (one line of Metadata stands for a waiver of every policy)."""
    wanted = filed | {finding.waiver for finding in findings if finding.waiver}
    return tuple(one for one in waivers if one.source and one.id in wanted and one.expires_at > now)


def _by_id_of_policy(waiver: Waiver, catalogue: Catalogue) -> Waiver:
    """Findings bear the id of a policy; a waiver may name one of its aliases."""
    policy = catalogue.known(waiver.policy)
    return waiver if policy is None else replace(waiver, policy=policy.id)


def _of_template(entry: Accepted, place: str, key: ResourceKey, catalogue: Catalogue) -> list[Waiver]:
    end = datetime.combine(entry.expires, time(23, 59, 59), UTC) if entry.expires else _FOREVER
    return [
        Waiver(
            id=f"{place}:{policy.id}",
            reason=entry.reason,
            owner=entry.owner or place,
            approver=entry.owner or "the template",
            expires_at=end,
            policy=policy.id,
            account=key.account,
            region=key.region,
            type=key.type,
            resource=literal(str(key)),
            source=f"Metadata of {place}",
        )
        for policy in catalogue.of_type(key.type)
        if any(fnmatch.fnmatchcase(name, entry.policy) for name in (policy.id, *policy.aliases))
    ]


def unsuppressed(
    evaluations: Iterable[Evaluation], declared: Sequence[DeclaredResource], catalogue: Catalogue
) -> Iterable[Evaluation]:
    """The evaluations, those NOT_APPLICABLE that the Metadata of the resource's template suppresses."""
    said: dict[ResourceKey, Suppressions] = {}
    for one in declared:
        found = suppressions(one.metadata)
        if one.key is not None and found.suppressed:
            said[one.key] = found
    policies = {policy.id: policy for policy in catalogue.policies}
    for evaluation in evaluations:
        wanted = said.get(evaluation.key)
        policy = policies.get(evaluation.policy)
        also = policy.suppressed_by if policy is not None else ()
        if wanted is not None and wanted.suppresses((evaluation.policy, *evaluation.aliases, *also)):
            yield replace(evaluation, compliance=ComplianceType.NOT_APPLICABLE, message=_SUPPRESSED, path="")
        else:
            yield evaluation


def _expired(waiver: Waiver) -> str:
    return f"The waiver {waiver.id} expired on {waiver.expires_at:%Y-%m-%d}."


class Told:
    """What a reader is told of waivers once the findings are known."""

    def __init__(
        self,
        waivers: Sequence[Waiver],
        evaluations: Iterable[Evaluation],
        tags: Mapping[ResourceKey, Mapping[str, str]],
        now: datetime,
    ) -> None:
        self._waivers = waivers
        self._paths = {(one.key, one.policy): one.path for one in evaluations}
        self._tags = tags
        self._now = now
        self._over = [one for one in waivers if one.expires_at <= now]

    def finding(self, finding: Finding) -> Finding:
        """The finding; an open one whose waiver is over says so."""
        if not finding.open or not self._over:
            return finding
        over = [one for one in self._over if self._fits(one, finding)]
        if not over:
            return finding
        last = max(over, key=lambda one: one.expires_at)
        # A finding that was only carried on has said so since the night before, of this waiver or an older one.
        told = finding.message
        for one in over:
            told = told.replace(_expired(one), "").strip()
        return replace(finding, message=f"{told} {_expired(last)}".strip())

    def notes(self, findings: Sequence[Finding], *, narrowed: bool) -> list[str]:
        """Waivers that are over and whose fault is back, that end soon, and that match nothing.

        After a ``narrowed`` run nobody can tell whether one matches nothing.
        """
        notes = []
        for one in sorted(self._waivers, key=lambda waiver: (waiver.expires_at, waiver.id)):
            count = sum(self._fits(one, finding) for finding in findings)
            day = f"{one.expires_at:%Y-%m-%d}"
            faults = "1 finding" if count == 1 else f"{count} findings"
            if not count:
                if not narrowed:
                    notes.append(f"The waiver {one.id} matches nothing; it can be removed.")
            elif one.expires_at <= self._now:
                notes.append(f"The waiver {one.id} expired on {day}: {faults} open again.")
            elif one.expires_at <= self._now + _NOTICE:
                notes.append(f"The waiver {one.id} of {faults} ends on {day}.")
        return notes

    def _fits(self, waiver: Waiver, finding: Finding) -> bool:
        whenever = replace(waiver, expires_at=_FOREVER)
        path = (
            self._paths.get((finding.key, finding.subject), "")
            if finding.kind is FindingKind.COMPLIANCE
            else finding.subject
        )
        return covers(whenever, finding, self._now, self._tags.get(finding.key, {}), path)
