"""The second paragraph: readings and memory in, a report out.  Pure."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from driftguard.history.causes import assign, group
from driftguard.history.findings import live as carry_over
from driftguard.model import (
    CoverageCounts,
    DeclaredResource,
    Drift,
    DriftStatus,
    Evaluation,
    Gap,
    GapReason,
    Location,
    Outcome,
    Report,
    Resource,
    ResourceKey,
    Run,
    SourceDrift,
)
from driftguard.rules import ACCOUNT, Catalogue, JudgeContext, Neighbours
from driftguard.scan.drifts import Comparer, Redact, Rules
from driftguard.scan.readings import Memory, Readings
from driftguard.scan.sources import source_drifts

_BY_REASON = {
    str(GapReason.THROTTLED): "throttled",
    str(GapReason.UNRESOLVED): "unresolved",
    str(GapReason.UNSUPPORTED): "unsupported",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was concluded before findings: drifts and evaluations."""

    drifts: tuple[Drift, ...]
    evaluations: tuple[Evaluation, ...]
    three_way: tuple[SourceDrift, ...] = ()


def conclude(
    readings: Readings, memory: Memory, catalogue: Catalogue, rules: Rules, now: datetime, redact: Redact
) -> Verdict:
    """Compare and judge everything that was read."""
    comparer = Comparer(readings, memory, rules, redact)
    drifts = tuple(comparer.drifts())
    evaluations = (*judge(readings, catalogue, now), *readings.config_evaluations)
    return Verdict(
        drifts=drifts, evaluations=evaluations, three_way=tuple(source_drifts(readings, drifts, comparer))
    )


def judge(readings: Readings, catalogue: Catalogue, now: datetime) -> Iterator[Evaluation]:
    """Every policy on every live resource, told where it is declared."""
    declared = {one.key: one for one in readings.declared if one.key is not None}
    resources = readings.snapshot.resources
    by_account: dict[str, list[Resource]] = defaultdict(list)
    for resource in resources.values():
        by_account[resource.key.account].append(resource)
    for account, members in by_account.items():
        neighbours = Neighbours(members)
        for resource in members:
            facts = resources.get(_account_key(resource.key))
            context = JudgeContext(
                now=now,
                neighbours=neighbours,
                account_facts=facts.properties if facts else None,
                environment=readings.environments.get(account, ""),
            )
            yield from _placed(catalogue.evaluate(resource, context), declared.get(resource.key))


def report(
    run: Run, readings: Readings, memory: Memory, verdict: Verdict, catalogue: Catalogue, now: datetime
) -> Report:
    """The whole verdict of a run: findings with their lives, coverage, gaps."""
    lives = carry_over(
        memory.findings,
        verdict.drifts,
        verdict.evaluations,
        run=run,
        now=now,
        waivers=memory.waivers,
        gaps=readings.snapshot.gaps,
        stacks=readings.stacks,
        policies=catalogue.summaries(),
        snapshot=readings.snapshot,
        covered_pairs=readings.covered,
    )
    causes = group(lives.findings, verdict.drifts)
    managed, unmanaged = _managed(verdict.drifts)
    outcome = Outcome.PARTIAL if any(map(_counts, readings.snapshot.gaps)) else Outcome.COMPLETE
    judged = {evaluation.policy for evaluation in verdict.evaluations}
    return Report(
        run=replace(run, outcome=outcome),
        outcome=outcome,
        coverage=coverage(verdict.drifts),
        drifts=verdict.drifts,
        evaluations=verdict.evaluations,
        findings=assign(lives.findings, causes),
        causes=causes,
        resolved=lives.resolved,
        new=lives.new,
        reopened=lives.reopened,
        gaps=readings.snapshot.gaps,
        stacks=tuple(readings.stacks),
        policies={name: one for name, one in catalogue.summaries().items() if name in judged},
        managed=managed,
        unmanaged=unmanaged,
        covered=readings.covered,
        three_way=verdict.three_way,
        unmatched_templates=readings.unmatched_templates,
    )


def coverage(drifts: Iterable[Drift]) -> CoverageCounts:
    """How many declared resources were checked, and how many were not, by reason."""
    counts: Counter[str] = Counter()
    for drift in drifts:
        if drift.status is DriftStatus.UNMANAGED:
            continue
        if drift.status in (DriftStatus.IN_SYNC, DriftStatus.MODIFIED, DriftStatus.DELETED):
            counts["checked"] += 1
            continue
        reasons = [entry.reason for entry in drift.not_checked if not entry.path]
        counts[_BY_REASON.get(str(reasons[0]), "not_checked") if reasons else "not_checked"] += 1
    return CoverageCounts(**counts)


def _managed(drifts: Sequence[Drift]) -> tuple[int, int]:
    unmanaged = sum(drift.status is DriftStatus.UNMANAGED for drift in drifts)
    gone = sum(drift.status is DriftStatus.DELETED for drift in drifts)
    return len(drifts) - unmanaged - gone, unmanaged


def _counts(gap: Gap) -> bool:
    """Whether a gap makes the run PARTIAL: what AWS cannot show to anybody does not."""
    return gap.reason not in (GapReason.UNSUPPORTED, GapReason.WRITE_ONLY, GapReason.NOT_RECORDED)


def _placed(evaluations: Iterable[Evaluation], declared: DeclaredResource | None) -> Iterator[Evaluation]:
    for evaluation in evaluations:
        if declared is None:
            yield evaluation
            continue
        place = _nearest(declared, evaluation.path)
        yield replace(
            evaluation, logical_id=declared.logical_id, stack=declared.stack_name or "", location=place
        )


def _nearest(declared: DeclaredResource, path: str) -> Location | None:
    while path and path not in declared.locations:
        path = path.rpartition("/")[0]
    return declared.locations.get(path)


def _account_key(key: ResourceKey) -> ResourceKey:
    return replace(key, type=ACCOUNT, identifier=key.account)


def policies_version(catalogue: Catalogue) -> str:
    """A short digest of the policies that were judged, so that a report says by which rules."""
    text = "\n".join(sorted(f"{policy.id}:{policy.severity}" for policy in catalogue.policies))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
