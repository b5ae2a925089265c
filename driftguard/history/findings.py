"""The lives of findings, decided purely: what is new, what came back, what is over, and what is unknown.

A finding is opened once, updated while it lasts, resolved only on evidence and reopened when it returns.
Evidence is: its resource was read and is fine; its policy was judged and is met; AWS saw the resource go; or
its stack was read and does not declare it any more.  Under a gap nothing is resolved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from driftguard.history.coverage import Covered, covered
from driftguard.history.faults import Fault, moved_on, normalise, of_drift, of_evaluations, place_of, within
from driftguard.history.waivers import waiver_of
from driftguard.model import (
    ComplianceType,
    CoverageCounts,
    Drift,
    DriftStatus,
    Evaluation,
    Finding,
    FindingKind,
    FindingStatus,
    Gap,
    Outcome,
    PolicySummary,
    Report,
    ResourceKey,
    Run,
    Snapshot,
    StackState,
    Waiver,
)

FLAPPING_OCCURRENCES = 3
FLAPPING_WITHIN = timedelta(days=7)
_CHANGES = (FindingKind.DRIFT, FindingKind.UNDECLARED)
_LOOKED_AT = (DriftStatus.IN_SYNC, DriftStatus.MODIFIED, DriftStatus.DELETED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    """What became of the findings: ``findings`` are all that are not resolved after the run."""

    findings: tuple[Finding, ...]
    resolved: tuple[Finding, ...]
    new: frozenset[str]
    reopened: frozenset[str]


def live(
    previous: Iterable[Finding],
    drifts: Sequence[Drift],
    evaluations: Sequence[Evaluation],
    *,
    run: Run,
    now: datetime,
    waivers: Sequence[Waiver] = (),
    gaps: Sequence[Gap] = (),
    stacks: Sequence[StackState] = (),
    policies: Mapping[str, PolicySummary] | None = None,
    snapshot: Snapshot | None = None,
    covered_pairs: frozenset[tuple[str, str]] = frozenset(),
) -> Lives:
    """Carry findings over one run.

    ``previous`` is what `Store.live_findings` answers; ``snapshot`` brings the tags (owners, waivers by
    tag) and the deletions that AWS reported; ``covered_pairs`` goes into `Report.covered`.
    """
    evidence = _Evidence(
        drifts=drifts,
        evaluations=evaluations,
        covered=_covered(run, drifts, evaluations, gaps, stacks, snapshot, covered_pairs),
        deleted=snapshot.deleted if snapshot is not None else frozenset(),
        policies=policies or {},
    )
    faults = _faults(drifts, evaluations, policies or {}, snapshot, now, run.id)
    known = {finding.fingerprint: finding for finding in previous}
    return _carried(known, faults, evidence, waivers, run=run, now=now)


def _carried(
    known: Mapping[str, Finding],
    faults: Mapping[str, Fault],
    evidence: _Evidence,
    waivers: Sequence[Waiver],
    *,
    run: Run,
    now: datetime,
) -> Lives:
    after: list[Finding] = []
    new, reopened = set(), set()
    for name, fault in faults.items():
        finding, event = _raised(known.get(name), fault, waivers, now)
        after.append(finding)
        if event == "new":
            new.add(name)
        elif event == "reopened":
            reopened.add(name)
    resolved: list[Finding] = []
    for name, finding in known.items():
        if name in faults or finding.status is FindingStatus.RESOLVED:
            continue
        if evidence.over(finding):
            resolved.append(replace(finding, status=FindingStatus.RESOLVED, resolved_at=now, last_run=run.id))
        else:
            still, event = _still(finding, waivers, now)
            after.append(still)
            if event:
                reopened.add(name)
    after = name_shared(after, {name: fault.path for name, fault in faults.items()})
    after.sort(key=lambda finding: (finding.severity.rank, finding.first_seen, finding.key, finding.subject))
    return Lives(
        findings=tuple(after),
        resolved=tuple(resolved),
        new=frozenset(new),
        reopened=frozenset(reopened),
    )


def name_shared(findings: Sequence[Finding], paths: Mapping[str, str]) -> list[Finding]:
    """``findings`` in which a policy that fails by a change somebody is named for names the same person.

    ``paths`` are the properties that policies looked at, by fingerprint.  A policy that looks at no single
    property, or at one that nobody is known to have changed, stays without a name.
    """
    acts: dict[ResourceKey, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.open and finding.kind in _CHANGES and finding.subject and finding.changed_by is not None:
            acts[finding.key].append(finding)

    def named(finding: Finding) -> Finding:
        path = normalise(paths.get(finding.fingerprint, ""))
        if finding.kind is not FindingKind.COMPLIANCE or finding.changed_by is not None or not path:
            return finding
        by = [act.changed_by for act in acts.get(finding.key, ()) if within(act.subject, path)]
        same = len({one.principal for one in by if one is not None}) == 1
        return replace(finding, changed_by=by[0]) if same else finding

    return [named(finding) for finding in findings]


def _faults(
    drifts: Sequence[Drift],
    evaluations: Sequence[Evaluation],
    policies: Mapping[str, PolicySummary],
    snapshot: Snapshot | None,
    now: datetime,
    run_id: str,
) -> dict[str, Fault]:
    live = snapshot.resources if snapshot is not None else {}
    faults: dict[str, Fault] = {}
    for drift in drifts:
        for fault in of_drift(drift, live.get(drift.key), now, run_id):
            faults.setdefault(fault.finding.fingerprint, fault)
    judged: dict[tuple[ResourceKey, str], list[Evaluation]] = defaultdict(list)
    for evaluation in evaluations:
        judged[(evaluation.key, evaluation.policy)].append(evaluation)
    for (key, _), listed in judged.items():
        tags = live[key].tags if key in live else {}
        found = of_evaluations(listed, policies, tags, now, run_id)
        if found is not None:
            faults[found.finding.fingerprint] = found
    return faults


def _raised(
    known: Finding | None, fault: Fault, waivers: Sequence[Waiver], now: datetime
) -> tuple[Finding, str]:
    """A finding that this run raised, and ``new``, ``reopened`` or nothing."""
    finding = fault.finding
    waiver = waiver_of(waivers, finding, now, fault.tags, fault.path)
    waived = FindingStatus.SUPPRESSED if waiver else FindingStatus.NEW
    finding = replace(finding, waiver=waiver.id if waiver else None, status=waived)
    if known is None:
        return finding, "" if waiver else "new"
    # Who is known for what it was is not to be named for what it is.
    over = known.status is FindingStatus.RESOLVED or moved_on(known, finding)
    finding = replace(
        finding,
        first_seen=known.first_seen,
        opened_run=known.opened_run,
        occurrences=known.occurrences,
        flapping=known.flapping,
        changed_by=finding.changed_by or (None if over else known.changed_by),
        owner=finding.owner or known.owner,
        cause=known.cause,
    )
    if known.status is FindingStatus.RESOLVED:
        occurrences = known.occurrences + 1
        recent = known.resolved_at is not None and now - known.resolved_at <= FLAPPING_WITHIN
        finding = replace(
            finding, occurrences=occurrences, flapping=recent and occurrences >= FLAPPING_OCCURRENCES
        )
        return finding, "" if waiver else "reopened"
    if waiver is None and known.status is FindingStatus.SUPPRESSED:
        return finding, "reopened"  # its waiver is over: it asks for attention again
    return (finding if waiver else replace(finding, status=known.status)), ""


def _still(finding: Finding, waivers: Sequence[Waiver], now: datetime) -> tuple[Finding, str]:
    """A finding that this run could not look at, and ``reopened`` or nothing: a waiver ends all the same.

    One that is not known any more says nothing: it may stand in a template that could not be read either.
    """
    over = any(one.id == finding.waiver and one.expires_at <= now for one in waivers)
    if finding.status is not FindingStatus.SUPPRESSED or not over:
        return finding, ""
    other = waiver_of(waivers, finding, now, {}, place_of(finding))
    if other is not None:
        return replace(finding, waiver=other.id), ""
    return replace(finding, status=FindingStatus.NEW, waiver=None), "reopened"


def _covered(
    run: Run,
    drifts: Sequence[Drift],
    evaluations: Sequence[Evaluation],
    gaps: Sequence[Gap],
    stacks: Sequence[StackState],
    snapshot: Snapshot | None,
    pairs: frozenset[tuple[str, str]],
) -> Covered:
    report = Report(
        run=run,
        outcome=Outcome.COMPLETE,
        coverage=CoverageCounts(),
        drifts=tuple(drifts),
        evaluations=tuple(evaluations),
        gaps=tuple(gaps),
        stacks=tuple(stacks),
        covered=pairs,
    )
    return covered(report, snapshot)


class _Evidence:
    """Whether a finding that was not raised again is over, or only was not looked at."""

    def __init__(
        self,
        *,
        drifts: Sequence[Drift],
        evaluations: Sequence[Evaluation],
        covered: Covered,
        deleted: frozenset[ResourceKey],
        policies: Mapping[str, PolicySummary],
    ) -> None:
        self._drifts: dict[ResourceKey, list[Drift]] = defaultdict(list)
        for drift in drifts:
            self._drifts[drift.key].append(drift)
        self._verdicts: dict[tuple[ResourceKey, str], list[ComplianceType]] = defaultdict(list)
        for evaluation in evaluations:
            self._verdicts[(evaluation.key, evaluation.policy)].append(evaluation.compliance)
        self._covered = covered
        self._deleted = deleted
        self._policies = policies
        self._stacks = {(drift.key.account, drift.key.region, drift.stack) for drift in drifts if drift.stack}

    def over(self, finding: Finding) -> bool:
        if self._named_in_gap(finding):
            return False
        if finding.kind is FindingKind.COMPLIANCE:
            return self._met(finding)
        if finding.kind is FindingKind.UNMANAGED:
            return self._managed_or_gone(finding)
        return self._in_sync(finding)

    def _named_in_gap(self, finding: Finding) -> bool:
        """A gap names this very resource (and, if a property, this one), or its stack."""
        key = finding.key
        for gap in self._covered.gaps:
            if gap.account not in (key.account, "", "*") or gap.region not in (key.region, "", "*"):
                continue
            names = (key.identifier, finding.physical_id, finding.logical_id)
            own = gap.identifier is not None and gap.identifier in names and gap.type in (None, key.type)
            stack = (
                gap.identifier is None
                and gap.stack is not None
                and finding.stack in (gap.stack, _name(gap.stack))
            )
            if (own or stack) and (gap.path is None or within(finding.subject, normalise(gap.path))):
                return True
        return False

    def _met(self, finding: Finding) -> bool:
        verdicts = self._verdicts.get((finding.key, finding.subject))
        if verdicts:
            return all(v in (ComplianceType.COMPLIANT, ComplianceType.NOT_APPLICABLE) for v in verdicts)
        if finding.key in self._deleted:
            return True
        # A person took the policy out of the configuration: it is not judged anywhere any more.
        return bool(self._policies) and finding.subject not in self._policies

    def _managed_or_gone(self, finding: Finding) -> bool:
        if any(drift.status is not DriftStatus.UNMANAGED for drift in self._drifts.get(finding.key, ())):
            return True
        if finding.key in self._deleted:
            return True
        return self._covered.place(finding.key) and self._covered.stacks_of(finding.key)

    def _in_sync(self, finding: Finding) -> bool:
        drifts = self._drifts.get(finding.key)
        if drifts:
            return all(fine(drift, finding) for drift in drifts)
        if finding.key in self._deleted:
            return True
        if not self._covered.in_types(finding.key):
            return False
        # Nothing declares it any more, if its stack was read (or is gone from a region that was listed).
        place = (finding.key.account, finding.key.region, finding.stack)
        return place in self._stacks or self._covered.region(finding.key.account, finding.key.region)


def fine(drift: Drift, finding: Finding) -> bool:
    """Whether a drift that did not raise a finding of its resource shows that there is nothing any more."""
    if finding.kind is FindingKind.UNMANAGED:
        return drift.status is not DriftStatus.UNMANAGED
    return drift.status in _LOOKED_AT and not _unchecked(drift, finding)


def _unchecked(drift: Drift, finding: Finding) -> bool:
    """Whether the finding's property (or something above or below it) was not compared."""
    if drift.status is DriftStatus.DELETED or not finding.subject:
        return False
    return any(within(finding.subject, normalise(item.path)) for item in drift.not_checked)


def _name(stack: str) -> str:
    parts = stack.split("/")
    return parts[1] if len(parts) > 1 else stack
