"""The JSON documents that `scan` and `drift` print; their forms are promised to scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from driftguard import __version__
from driftguard.model import (
    Cause,
    ChangedBy,
    CoverageCounts,
    Drift,
    Evaluation,
    Finding,
    Gap,
    Json,
    Location,
    PropertyDifference,
    Report,
    Run,
    SourceDrift,
    StackState,
    Unknown,
)
from driftguard.model.resource import Partial


def moment(value: datetime | None) -> str | None:
    """An instant as ISO 8601 with ``Z``."""
    return None if value is None else value.isoformat(timespec="seconds").replace("+00:00", "Z")


def plain(value: Json) -> Json:
    """A value with unknown parts written as text, so that JSON can carry it."""
    if isinstance(value, Unknown):
        return f"(unknown: {value.reason})"
    if isinstance(value, Partial):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def scan_document(report: Report) -> Json:
    """The document of ``scan --output json``: run, outcome, coverage, drifts, findings and gaps."""
    return {
        "run": run_document(report.run),
        "outcome": report.outcome.value,
        "coverage": coverage_document(report.coverage),
        "drifts": [
            drift_document(drift)
            for drift in report.drifts
            if drift.status.value != "IN_SYNC" or drift.drifted
        ],
        "findings": [
            finding_document(finding, new=report.new, reopened=report.reopened) for finding in report.findings
        ],
        "resolved": [finding_document(finding) for finding in report.resolved],
        "causes": [cause_document(cause) for cause in report.causes],
        "gaps": [gap_document(gap) for gap in report.gaps],
        "three_way": [source_document(row) for row in report.three_way],
        "unmatched_templates": list(report.unmatched_templates),
        "notes": list(report.notes),
        "summary": summary_document(report),
        "version": __version__,
    }


def drift_list_document(
    drifts: Iterable[Drift],
    *,
    run: Run | None,
    outcome: str,
    coverage: CoverageCounts,
    findings: Iterable[Finding] = (),
    gaps: Iterable[Gap] = (),
) -> Json:
    """The document of ``drift --output json``: the same form as `scan_document`, for what the store holds."""
    return {
        "run": run_document(run) if run is not None else None,
        "outcome": outcome,
        "coverage": coverage_document(coverage),
        "drifts": [drift_document(drift) for drift in drifts],
        "findings": [finding_document(finding) for finding in findings],
        "gaps": [gap_document(gap) for gap in gaps],
    }


def summary_document(report: Report) -> Json:
    """The numbers of a run."""
    severities: dict[str, int] = {}
    for finding in report.findings:
        if finding.open:
            severities[finding.severity.value] = severities.get(finding.severity.value, 0) + 1
    verdicts: dict[str, int] = {}
    for evaluation in report.evaluations:
        verdicts[evaluation.compliance.value] = verdicts.get(evaluation.compliance.value, 0) + 1
    return {
        "open": severities,
        "new": len(report.new),
        "reopened": len(report.reopened),
        "resolved": len(report.resolved),
        "suppressed": sum(1 for finding in report.findings if finding.status.value == "SUPPRESSED"),
        "compliance": verdicts,
        "managed": report.managed,
        "unmanaged": report.unmanaged,
        "stacks": len(report.stacks),
    }


def run_document(run: Run) -> Json:
    scope = run.scope
    return {
        "id": run.id,
        "status": run.status.value,
        "started_at": moment(run.started_at),
        "finished_at": moment(run.finished_at),
        "trigger": run.trigger,
        "tool_version": run.tool_version,
        "policy_version": run.policy_version,
        "scope": {
            "accounts": list(scope.accounts),
            "regions": list(scope.regions),
            "types": list(scope.types),
            "stacks": list(scope.stacks),
        },
        "error": run.error or None,
    }


def coverage_document(coverage: CoverageCounts) -> Json:
    return {
        "checked": coverage.checked,
        "not_checked": coverage.not_checked,
        "unsupported": coverage.unsupported,
        "throttled": coverage.throttled,
        "unresolved": coverage.unresolved,
        "ignored": coverage.ignored,
    }


def drift_document(drift: Drift) -> Json:
    """One compared resource: who it is, the verdict, and everything the verdict rests on."""
    return {
        "account": drift.key.account,
        "region": drift.key.region,
        "stack": drift.stack or None,
        "logical_id": drift.logical_id or None,
        "physical_id": drift.physical_id or drift.key.identifier,
        "resource_type": drift.key.type,
        "identifier": drift.key.identifier,
        "status": drift.status.value,
        "drifted": drift.drifted,
        "differences": [
            difference_document(difference) | {"requires_replacement": difference.requires_replacement}
            for difference in drift.differences
        ],
        "reordered": list(drift.reordered),
        "undeclared": [
            {"path": value.path, "value": plain(value.value), "confirmed": value.confirmed}
            | ({} if value.was_absent or not value.confirmed else {"was": plain(value.was)})
            for value in drift.undeclared
        ],
        "not_checked": [
            {"path": item.path, "reason": item.reason} | ({"detail": item.detail} if item.detail else {})
            for item in drift.not_checked
        ],
        "folded": [{"path": fold.path, "rule": fold.rule} for fold in drift.folded],
        "location": location_document(drift.location),
        "construct_path": drift.construct_path or None,
        "native_status": drift.native_status,
        "disagreement": drift.disagreement,
        "first_seen": moment(drift.first_seen),
        "last_seen": moment(drift.last_seen),
        "changed_by": changed_by_document(drift.changed_by),
    }


def difference_document(difference: PropertyDifference) -> dict[str, Json]:
    """One difference in CloudFormation's own words."""
    return {
        "PropertyPath": difference.path,
        "ExpectedValue": plain(difference.expected),
        "ActualValue": plain(difference.actual),
        "DifferenceType": difference.type.value,
    }


def source_document(row: SourceDrift) -> Json:
    """One resource by repository, deployed template and live resource; expected is what the repository says."""
    return {
        "account": row.account,
        "region": row.region,
        "stack": row.stack,
        "logical_id": row.logical_id,
        "resource_type": row.type,
        "verdict": row.verdict.value,
        "file": row.file or None,
        "location": location_document(row.location),
        "undeployed": [difference_document(difference) for difference in row.undeployed],
    }


def location_document(location: Location | None) -> Json:
    return (
        None
        if location is None
        else {"file": location.file, "line": location.line, "column": location.column}
    )


def changed_by_document(by: ChangedBy | None) -> Json:
    """Who changed it; null when nobody was found."""
    if by is None:
        return None
    return {
        "principal": by.principal,
        "event": by.event,
        "time": moment(by.time),
        "source": by.source,
        "session": by.session or None,
        "event_id": by.event_id or None,
        "confidence": by.confidence,
    }


def finding_document(
    finding: Finding, *, new: frozenset[str] = frozenset(), reopened: frozenset[str] = frozenset()
) -> Json:
    """One finding, with what a run made of it."""
    return known_finding_document(finding) | {
        "new": finding.fingerprint in new,
        "reopened": finding.fingerprint in reopened,
    }


def known_finding_document(finding: Finding) -> dict[str, Json]:
    """One finding, outside of any run."""
    import orjson

    return {
        "fingerprint": finding.fingerprint,
        "kind": finding.kind.value,
        "severity": finding.severity.value,
        "status": finding.status.value,
        "title": finding.title,
        "message": finding.message,
        "account": finding.key.account,
        "region": finding.key.region,
        "resource_type": finding.key.type,
        "identifier": finding.key.identifier,
        "physical_id": finding.physical_id or finding.key.identifier,
        "stack": finding.stack or None,
        "logical_id": finding.logical_id or None,
        "subject": finding.subject,
        "first_seen": moment(finding.first_seen),
        "last_seen": moment(finding.last_seen),
        "resolved_at": moment(finding.resolved_at),
        "occurrences": finding.occurrences,
        "flapping": finding.flapping,
        "waiver": finding.waiver,
        "cause": finding.cause,
        "owner": finding.owner or None,
        "remedy": finding.remedy,
        "changed_by": changed_by_document(finding.changed_by),
        "detail": orjson.loads(finding.detail)
        if finding.detail.startswith(("{", "["))
        else finding.detail or None,
    }


def cause_document(cause: Cause) -> Json:
    """What several findings have in common."""
    return {
        "id": cause.id,
        "kind": cause.kind,
        "title": cause.title,
        "severity": cause.severity.value,
        "findings": list(cause.fingerprints),
        "resources": cause.resources,
        "accounts": cause.accounts,
        "first_seen": moment(cause.first_seen),
        "changed_by": changed_by_document(cause.changed_by),
    }


def gap_document(gap: Gap) -> Json:
    return {
        "reason": gap.reason.value,
        "account": gap.account,
        "region": gap.region,
        "resource_type": gap.type,
        "identifier": gap.identifier,
        "stack": gap.stack,
        "path": gap.path,
        "action": gap.action,
        "detail": gap.detail,
    }


def evaluation_document(evaluation: Evaluation) -> Json:
    """One policy judged on one resource, in the form of ``check`` with the live resource's place."""
    return {
        "policy": evaluation.policy,
        "aliases": list(evaluation.aliases),
        "status": evaluation.compliance.value,
        "severity": evaluation.severity.value,
        "account": evaluation.key.account,
        "region": evaluation.key.region,
        "resource_type": evaluation.key.type,
        "identifier": evaluation.key.identifier,
        "logical_id": evaluation.logical_id or None,
        "stack": evaluation.stack or None,
        "message": evaluation.message,
        "path": evaluation.path,
        "judge": evaluation.judge,
        "location": location_document(evaluation.location),
    }


def stack_document(stack: StackState) -> Json:
    return {
        "account": stack.account,
        "region": stack.region,
        "stack_id": stack.stack_id,
        "name": stack.name,
        "status": stack.status,
        "drift_status": stack.drift_status or None,
        "resources": stack.resources,
        "last_drift_check": moment(stack.last_drift_check),
        "parent_id": stack.parent_id,
        "tags": dict(stack.tags),
    }
