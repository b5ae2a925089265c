"""How far a framework is met, from counted verdicts, and how that was counted.  Pure.

A pair is one policy on one resource.  The score is AWS Config's: compliant pairs of the judged ones,
unweighted; a pair counts once, however many controls ask for its policy.  Pairs that could not be told, and
policies that nobody judged, are outside the percentage and counted beside it.

https://docs.aws.amazon.com/config/latest/developerguide/conformance-packs.html (compliance score)
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from driftguard.model import ComplianceType, Evaluation, Report
from driftguard.rules.catalogue import Catalogue
from driftguard.rules.frameworks import ControlFile, Framework


class ControlStatus(StrEnum):
    """What is known of a control; those that need somebody first."""

    NON_COMPLIANT = "NON_COMPLIANT"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"
    """Some of its policies could not tell, and none found a fault."""
    COMPLIANT = "COMPLIANT"
    ATTESTED = "ATTESTED"
    MANUAL = "MANUAL"
    """Judged by people, and nobody has attested it (or the attestation is over)."""
    NOT_JUDGED = "NOT_JUDGED"
    """None of its policies judged anything: no such resource, or nobody who judges them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Pairs of policy and resource by verdict, of one policy or of several."""

    compliant: int = 0
    failed: int = 0
    untold: int = 0

    @property
    def judged(self) -> int:
        return self.compliant + self.failed

    @property
    def percent(self) -> float | None:
        """Compliant of judged; ``None`` when nothing was judged."""
        return round(100 * self.compliant / self.judged, 2) if self.judged else None

    def plus(self, other: Tally) -> Tally:
        return Tally(
            compliant=self.compliant + other.compliant,
            failed=self.failed + other.failed,
            untold=self.untold + other.untold,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRow:
    """One control: what is known of it, and its pairs."""

    control: ControlFile
    status: ControlStatus
    tally: Tally


def tallies(counts: Iterable[tuple[str, str, int]], catalogue: Catalogue) -> dict[str, Tally]:
    """The verdicts of each policy, under its id and its other names.

    ``counts`` are (policy, verdict, resources with that verdict), as the store counts them.
    """
    result = _by_policy(counts)
    for known in catalogue.policies:
        for alias in known.aliases:
            if known.id in result:
                result.setdefault(alias, result[known.id])
    return result


def of_report(report: Report) -> dict[str, Tally]:
    """The frameworks of the policies that a run judged, by name, counted as the store counts them."""
    by_policy = _by_policy(_counts(report.evaluations))
    found: dict[str, Tally] = {}
    for policy in report.policies.values():
        if policy.id in by_policy:
            for name in policy.frameworks:
                found[name] = found.get(name, Tally()).plus(by_policy[policy.id])
    return dict(sorted(found.items()))


def controls_of_report(report: Report, framework: Framework) -> Counter[ControlStatus]:
    """How many controls of the framework stand how after a run, as the command line counts them."""
    by_policy = _by_policy(_counts(report.evaluations))
    for policy in report.policies.values():
        if policy.id in by_policy:
            for alias in policy.aliases:
                by_policy.setdefault(alias, by_policy[policy.id])
    return Counter(row.status for row in control_rows(framework, by_policy))


def _counts(evaluations: Sequence[Evaluation]) -> Iterable[tuple[str, str, int]]:
    """Resources by policy and verdict.  Where several judge the same policy, a resource counts once."""
    judges: dict[str, set[str]] = defaultdict(set)
    for one in evaluations:
        judges[one.policy].add(one.judge)
    several = {policy for policy, names in judges.items() if len(names) > 1}
    counts = Counter((one.policy, one.compliance) for one in evaluations if one.policy not in several)
    pairs = {(one.policy, one.compliance, one.key) for one in evaluations if one.policy in several}
    counts.update((policy, verdict) for policy, verdict, _ in pairs)
    return ((policy, verdict, number) for (policy, verdict), number in counts.items())


def _by_policy(counts: Iterable[tuple[str, str, int]]) -> dict[str, Tally]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for policy, verdict, resources in counts:
        found[policy][verdict] = resources
    return {
        name: Tally(
            compliant=below.get(ComplianceType.COMPLIANT, 0),
            failed=below.get(ComplianceType.NON_COMPLIANT, 0),
            untold=below.get(ComplianceType.INSUFFICIENT_DATA, 0),
        )
        for name, below in found.items()
    }


def whole(framework: Framework, by_policy: Mapping[str, Tally]) -> Tally:
    """The pairs of a framework: each policy counts once, however many controls ask for it."""
    return _sum(framework.policies, by_policy)


def control_rows(
    framework: Framework, by_policy: Mapping[str, Tally], attested: Collection[str] = ()
) -> tuple[ControlRow, ...]:
    """Every control with what is known of it; ``attested`` are the ids that a person's word holds for now."""
    rows = []
    for control in framework.controls:
        tally = _sum(control.policies, by_policy)
        status = _status(control, tally, control.id in attested)
        rows.append(ControlRow(control=control, status=status, tally=tally))
    return tuple(rows)


def method(rows: Iterable[ControlRow], pairs: Tally) -> str:
    """How it was counted, in a sentence."""
    counts = Counter(row.status for row in rows)
    people = counts[ControlStatus.MANUAL] + counts[ControlStatus.ATTESTED]
    return (
        f"{pairs.compliant} compliant of {pairs.judged} judged pairs of policy and resource; "
        f"{pairs.untold} pairs could not be told; of {counts.total()} controls {people} are judged by people "
        f"({counts[ControlStatus.ATTESTED]} attested) and {counts[ControlStatus.NOT_JUDGED]} were not judged"
    )


def _sum(policies: Iterable[str], by_policy: Mapping[str, Tally]) -> Tally:
    total = Tally()
    for name in policies:
        total = total.plus(by_policy.get(name, Tally()))
    return total


def _status(control: ControlFile, tally: Tally, attested: bool) -> ControlStatus:
    if control.manual:
        return ControlStatus.ATTESTED if attested else ControlStatus.MANUAL
    if tally.failed:
        return ControlStatus.NON_COMPLIANT
    if tally.untold:
        return ControlStatus.INSUFFICIENT_DATA
    return ControlStatus.COMPLIANT if tally.compliant else ControlStatus.NOT_JUDGED
