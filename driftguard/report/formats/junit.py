"""JUnit XML, for build servers: a suite per stack, a case per resource, and a suite per policy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from driftguard.model import ComplianceType, Drift, DriftStatus, Evaluation, Finding, Report, ResourceKey
from driftguard.report.junit import Case, document
from driftguard.report.options import Options
from driftguard.report.plain import described

MEDIA_TYPE = "application/xml"
SUFFIX = ".xml"
_UNCHECKED = (DriftStatus.NOT_CHECKED, DriftStatus.UNKNOWN, DriftStatus.UNSUPPORTED)


def render(report: Report, options: Options) -> str:
    """``report`` as JUnit XML; gaps and what is not judged are skipped cases, never passed ones."""
    by_key: dict[tuple[ResourceKey, str], list[Finding]] = defaultdict(list)
    for finding in report.findings:
        by_key[(finding.key, finding.kind.value)].append(finding)
    cases = (*_drifts(report.drifts, by_key), *_verdicts(report, by_key), *_gaps(report))
    return document("driftguard", cases, report.run.started_at)


def _drifts(
    drifts: Iterable[Drift], findings: dict[tuple[ResourceKey, str], list[Finding]]
) -> Iterable[Case]:
    for drift in drifts:
        suite = f"drift {drift.key.account} {drift.key.region} {drift.stack or '(no stack)'}"
        name = f"{drift.logical_id or drift.key.identifier} ({drift.key.type})"
        own = [
            finding
            for kind in ("DRIFT", "UNDECLARED", "UNMANAGED")
            for finding in findings.get((drift.key, kind), ())
        ]
        opened = [finding for finding in own if finding.open]
        accepted = [finding.waiver or "" for finding in own if not finding.open]
        if opened:
            yield Case(
                suite=suite,
                name=name,
                failure="\n".join(map(described, opened)),
                kind=opened[0].severity.value,
            )
        elif drift.drifted and not accepted:
            text = "\n".join(f"{d.path} differs" for d in drift.differences) or drift.status.value
            yield Case(suite=suite, name=name, failure=text, kind=drift.status.value)
        elif accepted:
            yield Case(suite=suite, name=name, skipped=f"accepted: waiver {', '.join(accepted)}")
        elif drift.status in _UNCHECKED:
            reasons = sorted({item.reason for item in drift.not_checked})
            yield Case(suite=suite, name=name, skipped=f"{drift.status.value} {', '.join(reasons)}".strip())
        else:
            yield Case(suite=suite, name=name)


def _verdicts(report: Report, findings: dict[tuple[ResourceKey, str], list[Finding]]) -> Iterable[Case]:
    def accepted(evaluation: Evaluation) -> str:
        listed = findings.get((evaluation.key, "COMPLIANCE"), ())
        found = next((f for f in listed if f.subject == evaluation.policy), None)
        return found.waiver or "" if found is not None and not found.open else ""

    for evaluation in report.evaluations:
        suite = f"policy {evaluation.policy}"
        name = f"{evaluation.key} [{evaluation.judge}]"
        if evaluation.compliance is ComplianceType.NON_COMPLIANT:
            waiver = accepted(evaluation)
            if waiver:
                yield Case(suite=suite, name=name, skipped=f"accepted: waiver {waiver}")
            else:
                yield Case(
                    suite=suite,
                    name=name,
                    failure=evaluation.message or "not compliant",
                    kind=evaluation.severity.value,
                )
        elif evaluation.compliance is ComplianceType.COMPLIANT:
            yield Case(suite=suite, name=name)
        else:
            yield Case(
                suite=suite, name=name, skipped=f"{evaluation.compliance.value} {evaluation.message}".strip()
            )


def _gaps(report: Report) -> Iterable[Case]:
    for gap in report.gaps:
        parts = (gap.account, gap.region, gap.stack, gap.type, gap.identifier, gap.path)
        name = " ".join(part for part in parts if part)
        yield Case(suite="not looked at", name=name, skipped=f"{gap.reason.value}: {gap.detail}")
