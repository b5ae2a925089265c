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
    Outcome,
    Report,
    Resource,
    Run,
    Scope,
    SourceDrift,
)
from driftguard.rules import ACCOUNT, Catalogue, JudgeContext, Neighbours
from driftguard.scan import acceptances, account_facts, config_verdicts
from driftguard.scan.completeness import Completeness
from driftguard.scan.drifts import Comparer, Redact, Rules
from driftguard.scan.places import place_of
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
    judged = (
        *judge(readings, catalogue, now),
        *_told(config_verdicts.evaluations(readings, memory.findings, catalogue), readings),
    )
    evaluations = tuple(acceptances.unsuppressed(judged, readings.declared, catalogue))
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
    complete = Completeness(readings)
    for account, members in by_account.items():
        neighbours = Neighbours(members, complete)
        for resource in members:
            context = JudgeContext(
                now=now,
                neighbours=neighbours,
                account_facts=account_facts.around(resource.key, resources),
                environment=readings.environments.get(account, ""),
                organizational_units=readings.organizational_units.get(account, ()),
            )
            if resource.type == ACCOUNT:
                yield from _on_account(resource, context, catalogue)
            else:
                yield from _placed(catalogue.evaluate(resource, context), declared.get(resource.key))


def _on_account(resource: Resource, context: JudgeContext, catalogue: Catalogue) -> Iterator[Evaluation]:
    """The policies on an account, each where its facts are: once, or in each region."""
    asked = {
        policy.id for policy in catalogue.of_type(ACCOUNT) if account_facts.asks_here(policy, resource.key)
    }
    whole = account_facts.completed(resource, context.account_facts or {})
    yield from (one for one in catalogue.evaluate(whole, context) if one.policy in asked)


def _told(evaluations: Iterable[Evaluation], readings: Readings) -> Iterator[Evaluation]:
    """AWS Config's verdicts, told where their resources are declared."""
    declared = {one.key: one for one in readings.declared if one.key is not None}
    for evaluation in evaluations:
        yield from _placed((evaluation,), declared.get(evaluation.key))


def report(
    run: Run, readings: Readings, memory: Memory, verdict: Verdict, catalogue: Catalogue, now: datetime
) -> Report:
    """The whole verdict of a run: findings with their lives, coverage, gaps."""
    policies = config_verdicts.summaries(readings, memory.findings, catalogue)
    lives = carry_over(
        memory.findings,
        verdict.drifts,
        verdict.evaluations,
        run=run,
        now=now,
        waivers=memory.waivers,
        gaps=readings.snapshot.gaps,
        stacks=readings.stacks,
        policies=policies,
        snapshot=readings.snapshot,
        covered_pairs=readings.covered,
    )
    tags = {key: resource.tags for key, resource in readings.snapshot.resources.items()}
    told = acceptances.Told(memory.waivers, verdict.evaluations, tags, now)
    findings = tuple(map(told.finding, lives.findings))
    causes = group(findings)
    managed, unmanaged = _managed(verdict.drifts)
    outcome = Outcome.PARTIAL if any(map(_counts, readings.snapshot.gaps)) else Outcome.COMPLETE
    judged = {evaluation.policy for evaluation in verdict.evaluations}
    return Report(
        run=replace(run, outcome=outcome),
        outcome=outcome,
        coverage=coverage(verdict.drifts),
        drifts=verdict.drifts,
        evaluations=verdict.evaluations,
        findings=assign(findings, causes),
        causes=causes,
        resolved=lives.resolved,
        new=lives.new,
        reopened=lives.reopened,
        gaps=readings.snapshot.gaps,
        stacks=tuple(readings.stacks),
        policies={name: one for name, one in policies.items() if name in judged},
        managed=managed,
        unmanaged=unmanaged,
        covered=readings.covered,
        three_way=verdict.three_way,
        unmatched_templates=readings.unmatched_templates,
        waivers=acceptances.in_force(memory.waivers, memory.filed, findings, now),
        notes=(*memory.notes, *told.notes(findings, narrowed=_narrowed(run.scope))),
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
        place, parameter = place_of(declared, evaluation.path)
        yield replace(
            evaluation,
            logical_id=declared.logical_id,
            stack=declared.stack_name or "",
            location=place,
            template_parameter=parameter,
        )


def _narrowed(scope: Scope) -> bool:
    return bool(scope.accounts or scope.regions or scope.types or scope.stacks)


def policies_version(catalogue: Catalogue) -> str:
    """A short digest of the policies that were judged, so that a report says by which rules."""
    text = "\n".join(sorted(f"{policy.id}:{policy.severity}" for policy in catalogue.policies))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
