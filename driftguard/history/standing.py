"""What was known at a moment: the runs that it rests on, and all of them as one report.

A run over a part says nothing of the rest.  So what stands is the newest run over everything and those over
parts since then; where no run ever looked at everything, the newest run of each part.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import TypeVar

from driftguard.history.causes import group
from driftguard.history.coverage import stack_name
from driftguard.history.port import Page, Query, Store
from driftguard.history.query import every
from driftguard.model import (
    CoverageCounts,
    Drift,
    Evaluation,
    Gap,
    Outcome,
    PolicySummary,
    Report,
    Run,
    RunStatus,
    Scope,
    StackState,
    Waiver,
)

T = TypeVar("T")
_PAGE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The ``runs`` that count at a moment, the one that looked last first, and their reports put together."""

    runs: tuple[Run, ...]
    reports: tuple[Report, ...]
    report: Report

    @property
    def over_everything(self) -> Run | None:
        """The run over everything that the rest adds to; None: there never was one."""
        return over_everything(self.runs)

    def judges(self) -> dict[Hashable, Run]:
        """For each verdict of the report (`subject`) the run that gave it last."""
        given: dict[Hashable, Run] = {}
        for one in self.reports:
            for evaluation in one.evaluations:
                given.setdefault(subject(evaluation), one.run)
        return given


def over_everything(runs: Sequence[Run]) -> Run | None:
    """The last of ``runs`` (newest first), if it looked at everything."""
    return runs[-1] if runs and runs[-1].scope == Scope() else None


def standing_runs(ask: Callable[[Query], Page[Run]], at: datetime | None = None) -> tuple[Run, ...]:
    """The runs that count now, or did ``at`` a moment, newest first; empty: none had ended."""
    found: list[Run] = []
    for run in every(ask, Query(at=at, statuses=(RunStatus.SUCCEEDED,), limit=_PAGE)):
        if not any(_within(run.scope, newer.scope) for newer in found):
            found.append(run)
        if run.scope == Scope():
            break
    return tuple(found)


def standing_gaps(looks: Iterable[tuple[Scope, Sequence[Gap]]]) -> list[Gap]:
    """What is not looked at, of runs newest first: a later one takes the place of what earlier ones said of its part."""
    found: list[Gap] = []
    known: list[Scope] = []
    for scope, gaps in looks:
        found += [gap for gap in gaps if not any(_covers(later, gap) for later in known)]
        known.append(scope)
    return list(dict.fromkeys(found))


def standing(store: Store, at: datetime | None = None) -> Standing | None:
    """What is known now, or was ``at`` a moment; None: no run had ended."""
    runs = standing_runs(store.runs, at)
    reports = tuple(report for run in runs if (report := store.report(run.id)) is not None)
    if not reports:
        return None
    whole = reports[0] if len(runs) == 1 else _together(store, runs, reports)
    return Standing(runs=runs, reports=reports, report=whole)


def subject(evaluation: Evaluation) -> Hashable:
    """What an evaluation is a verdict on."""
    return evaluation.key, evaluation.policy, evaluation.judge


def _drifting(drift: Drift) -> Hashable:
    return drift.key, drift.stack_id, drift.logical_id


def _stack(stack: StackState) -> Hashable:
    return stack.account, stack.region, stack.stack_id


def _together(store: Store, runs: Sequence[Run], reports: Sequence[Report]) -> Report:
    # Each run knows of all that is open after it, so the one that ended last has the findings of the whole.
    last = max(reports, key=_ended)
    seen = Query(at=_ended(last), limit=_PAGE)
    gaps = standing_gaps((report.run.scope, report.gaps) for report in reports)
    base = reports[-1] if over_everything(runs) is not None else None
    known = {finding.fingerprint for finding in last.findings}
    policies: dict[str, PolicySummary] = {}
    for report in reversed(reports):
        policies |= report.policies
    return Report(
        run=replace(last.run, scope=_scope([run.scope for run in runs])),
        outcome=_outcome(reports, gaps),
        coverage=base.coverage if base is not None else _sum([report.coverage for report in reports]),
        drifts=_newest([r.drifts for r in reports], _drifting, every(store.drifts, seen)),
        evaluations=_newest([r.evaluations for r in reports], subject, every(store.evaluations, seen)),
        findings=last.findings,
        resolved=tuple(
            {
                f.fingerprint: f for r in reversed(reports) for f in r.resolved if f.fingerprint not in known
            }.values()
        ),
        new=frozenset(name for report in reports for name in report.new if name in known),
        reopened=frozenset(name for report in reports for name in report.reopened if name in known),
        gaps=tuple(gaps),
        stacks=_newest([r.stacks for r in reports], _stack, every(store.stacks, seen)),
        policies=policies,
        managed=base.managed if base is not None else sum(report.managed for report in reports),
        unmanaged=base.unmanaged if base is not None else sum(report.unmanaged for report in reports),
        causes=group(last.findings),
        waivers=_waivers(last, reports),
        notes=(*last.notes, _told(runs)),
    )


def _ended(report: Report) -> datetime:
    return report.run.finished_at or report.run.started_at


def _newest(lists: Sequence[Sequence[T]], name: Callable[[T], Hashable], valid: Iterable[T]) -> tuple[T, ...]:
    """Of each subject the newest value (``lists`` are newest first), without those that are not ``valid`` any more."""
    still = {name(value) for value in valid}
    found: dict[Hashable, T] = {}
    for values in lists:
        for value in values:
            if name(value) in still:
                found.setdefault(name(value), value)
    return tuple(found.values())


def _waivers(last: Report, reports: Sequence[Report]) -> tuple[Waiver, ...]:
    """Those the last run went by, and those of earlier ones that a finding still is accepted by."""
    found = {(waiver.id, waiver.source): waiver for waiver in last.waivers}
    named = {finding.waiver for finding in last.findings} - {waiver.id for waiver in last.waivers}
    for report in reports:
        for waiver in report.waivers:
            if waiver.id in named:
                found.setdefault((waiver.id, waiver.source), waiver)
    return tuple(sorted(found.values(), key=lambda waiver: waiver.id))


def _outcome(reports: Sequence[Report], gaps: Sequence[Gap]) -> Outcome:
    left = set(gaps)
    complete = over_everything([report.run for report in reports]) is not None and not any(
        report.outcome is Outcome.PARTIAL and (not report.gaps or not left.isdisjoint(report.gaps))
        for report in reports
    )
    return Outcome.COMPLETE if complete else Outcome.PARTIAL


def _sum(counts: Sequence[CoverageCounts]) -> CoverageCounts:
    names = [field.name for field in fields(CoverageCounts)]
    return CoverageCounts(**{name: sum(getattr(one, name) for one in counts) for name in names})


def _told(runs: Sequence[Run]) -> str:
    base = over_everything(runs)
    if base is None:
        return f"No run looked at everything: this is put together from {len(runs)} runs over parts."
    parts = len(runs) - 1
    return f"This is the run {base.id} over everything, and {parts} over parts since then."


def _scope(scopes: Sequence[Scope]) -> Scope:
    """What several runs looked at together."""

    def union(lists: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
        return tuple(sorted({value for values in lists for value in values})) if all(lists) else ()

    return Scope(
        accounts=union([scope.accounts for scope in scopes]),
        regions=union([scope.regions for scope in scopes]),
        types=union([scope.types for scope in scopes]),
        stacks=union([scope.stacks for scope in scopes]),
    )


def _within(part: Scope, scope: Scope) -> bool:
    """Whether a run over ``scope`` looks at all that one over ``part`` looks at."""
    pairs = (
        (part.accounts, scope.accounts),
        (part.regions, scope.regions),
        (part.types, scope.types),
        (part.stacks, scope.stacks),
    )
    return all(not wide or (narrow and set(narrow) <= set(wide)) for narrow, wide in pairs)


def _covers(scope: Scope, gap: Gap) -> bool:
    """Whether a run over ``scope`` looked again where ``gap`` is: what it could not see, it says itself."""
    if scope.types or (scope.accounts and gap.account not in scope.accounts):
        return False
    if scope.regions and gap.region not in scope.regions:
        return False
    return not scope.stacks or (
        gap.stack is not None and bool({gap.stack, stack_name(gap.stack)} & {*scope.stacks})
    )
