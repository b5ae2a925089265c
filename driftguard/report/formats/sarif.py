"""SARIF 2.1.0, for code scanning.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from driftguard import __version__
from driftguard.model import Finding, FindingKind, FindingStatus, Location, Report, ResourceKey, Severity
from driftguard.report.document import moment
from driftguard.report.options import Options
from driftguard.report.plain import described

MEDIA_TYPE = "application/sarif+json"
SUFFIX = ".sarif"
_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning"}
# GitHub sorts security results by this number (CVSS-like).
_SCORES = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFORMATIONAL: "0.0",
}
_DRIFT_RULES = {
    FindingKind.DRIFT: ("driftguard/drift", "A declared property differs, or a declared resource is gone"),
    FindingKind.UNDECLARED: ("driftguard/undeclared", "An undeclared value changed since it was accepted"),
    FindingKind.UNMANAGED: ("driftguard/unmanaged", "A resource is in no stack"),
}


def render(report: Report, options: Options) -> str:
    """``report`` as one SARIF log with one run."""
    findings = [*report.findings, *report.resolved]
    rules = list(_rules(report, findings))
    index = {rule["id"]: number for number, rule in enumerate(rules)}
    places = _places(report)
    run = report.run
    invocation: dict[str, Any] = {
        "executionSuccessful": report.outcome.value == "COMPLETE",
        "startTimeUtc": moment(run.started_at),
        "toolExecutionNotifications": [
            {
                "level": "warning",
                "message": {"text": f"Not looked at ({gap.reason.value}): {gap.detail or 'no detail'}"},
                "properties": {"account": gap.account, "region": gap.region, "type": gap.type or ""},
            }
            for gap in report.gaps
        ],
    }
    if run.finished_at is not None:
        invocation["endTimeUtc"] = moment(run.finished_at)
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "driftguard",
                        "version": __version__,
                        "semanticVersion": __version__,
                        "rules": rules,
                    }
                },
                "automationDetails": {"id": f"driftguard/{run.id}"},
                "invocations": [invocation],
                "columnKind": "utf16CodeUnits",
                "results": [_result(finding, report, index, places) for finding in findings],
            }
        ],
    }
    return orjson.dumps(log, option=orjson.OPT_INDENT_2).decode() + "\n"


def _rule_id(finding: Finding) -> str:
    return finding.subject if finding.kind is FindingKind.COMPLIANCE else _DRIFT_RULES[finding.kind][0]


def _rules(report: Report, findings: Iterable[Finding]) -> Iterable[dict[str, Any]]:
    seen: set[str] = set()
    for finding in findings:
        name = _rule_id(finding)
        if name in seen:
            continue
        seen.add(name)
        policy = report.policies.get(name)
        title = policy.title if policy else _DRIFT_RULES.get(finding.kind, ("", finding.title))[1]
        rule: dict[str, Any] = {
            "id": name,
            "shortDescription": {"text": title or name},
            "defaultConfiguration": {"level": _LEVELS.get(finding.severity, "note")},
            "properties": {"security-severity": _SCORES[finding.severity], "tags": ["security"]},
        }
        if policy and policy.description:
            rule["fullDescription"] = {"text": policy.description}
        if policy and policy.source.startswith("https://"):
            rule["helpUri"] = policy.source
        yield rule


def _places(report: Report) -> Mapping[tuple[ResourceKey, str], Location]:
    places: dict[tuple[ResourceKey, str], Location] = {}
    for drift in report.drifts:
        if drift.location is not None:
            places[(drift.key, "")] = drift.location
    for evaluation in report.evaluations:
        if evaluation.location is not None:
            places[(evaluation.key, evaluation.policy)] = evaluation.location
    return places


def _result(
    finding: Finding,
    report: Report,
    index: Mapping[str, int],
    places: Mapping[tuple[ResourceKey, str], Location],
) -> dict[str, Any]:
    key = finding.key
    rule = _rule_id(finding)
    place = places.get((key, finding.subject)) or places.get((key, ""))
    location: dict[str, Any] = {
        "logicalLocations": [
            {
                "name": finding.logical_id or key.identifier,
                "fullyQualifiedName": f"{key}{finding.subject if finding.kind is not FindingKind.COMPLIANCE else ''}",
                "kind": "resource",
            }
        ]
    }
    if place is not None:
        region = {"startLine": max(1, place.line), "startColumn": max(1, place.column)}
        location["physicalLocation"] = {"artifactLocation": {"uri": _uri(place.file)}, "region": region}
    result: dict[str, Any] = {
        "ruleId": rule,
        "ruleIndex": index[rule],
        "level": _LEVELS.get(finding.severity, "note"),
        "message": {"text": described(finding)},
        "locations": [location],
        "partialFingerprints": {"driftguard/v1": finding.fingerprint},
        "baselineState": _state(finding, report),
        "properties": {"severity": finding.severity.value, "account": key.account, "region": key.region},
    }
    if finding.status is FindingStatus.SUPPRESSED:
        result["suppressions"] = [
            {
                "kind": "external",
                "status": "accepted",
                "justification": f"waiver {finding.waiver or ''}".strip(),
            }
        ]
    return result


def _uri(file: str) -> str:
    from urllib.parse import quote

    return quote(file.replace("\\", "/").removeprefix("./"))


def _state(finding: Finding, report: Report) -> str:
    if finding.status is FindingStatus.RESOLVED:
        return "absent"
    return "new" if finding.fingerprint in report.new | report.reopened else "unchanged"
