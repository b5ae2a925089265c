"""OCSF 1.3.0 Compliance Findings (class 2003), as Amazon Security Lake takes them.

https://schema.ocsf.io/1.3.0/classes/compliance_finding
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from driftguard import __version__
from driftguard.model import Finding, FindingKind, FindingStatus, Report, Severity
from driftguard.report.options import Options
from driftguard.report.plain import described

MEDIA_TYPE = "application/json"
SUFFIX = ".ocsf.json"
_CLASS = 2003
_SEVERITIES = {
    Severity.INFORMATIONAL: (1, "Informational"),
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
_STATUSES = {
    FindingStatus.NEW: (1, "New"),
    FindingStatus.NOTIFIED: (2, "In Progress"),
    FindingStatus.SUPPRESSED: (3, "Suppressed"),
    FindingStatus.RESOLVED: (4, "Resolved"),
}
_ACTIVITIES = {1: "Create", 2: "Update", 3: "Close"}


def render(report: Report, options: Options) -> str:
    """Every finding as an OCSF event, in a JSON list."""
    events = [_event(finding, report) for finding in (*report.findings, *report.resolved)]
    return orjson.dumps(events, option=orjson.OPT_INDENT_2).decode() + "\n"


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _event(finding: Finding, report: Report) -> dict[str, Any]:
    key = finding.key
    activity = _activity(finding, report)
    severity_id, severity = _SEVERITIES[finding.severity]
    status_id, status = _STATUSES[finding.status]
    moment = finding.resolved_at or finding.last_seen
    return {
        "activity_id": activity,
        "activity_name": _ACTIVITIES[activity],
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Compliance Finding",
        "type_uid": _CLASS * 100 + activity,
        "type_name": f"Compliance Finding: {_ACTIVITIES[activity]}",
        "time": _millis(moment),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "message": described(finding),
        "metadata": {
            "version": "1.3.0",
            "product": {"name": "driftguard", "vendor_name": "driftguard", "version": __version__},
            "uid": f"{report.run.id}/{finding.fingerprint}",
            "profiles": ["cloud"],
        },
        "finding_info": {
            "uid": finding.fingerprint,
            "title": finding.title or finding.subject,
            "desc": finding.message or finding.title,
            "types": [finding.kind.value],
            "created_time": _millis(finding.first_seen),
            "first_seen_time": _millis(finding.first_seen),
            "last_seen_time": _millis(finding.last_seen),
            "modified_time": _millis(moment),
        },
        "compliance": _compliance(finding, report),
        "resources": [_resource(finding)],
        "cloud": {"provider": "AWS", "region": key.region, "account": {"uid": key.account}},
        "unmapped": {
            "stack": finding.stack,
            "subject": finding.subject,
            "occurrences": finding.occurrences,
            "changed_by": finding.changed_by.principal if finding.changed_by else None,
        },
    }


def _compliance(finding: Finding, report: Report) -> dict[str, Any]:
    policy = report.policies.get(finding.subject) if finding.kind is FindingKind.COMPLIANCE else None
    passed = finding.status is FindingStatus.RESOLVED
    return {
        "control": finding.subject or finding.kind.value,
        "status": "Pass" if passed else "Fail",
        "status_id": 1 if passed else 3,
        "standards": sorted(policy.frameworks) if policy and policy.frameworks else ["driftguard"],
        "requirements": sorted({control for ids in policy.frameworks.values() for control in ids})
        if policy
        else [],
    }


def _resource(finding: Finding) -> dict[str, Any]:
    key = finding.key
    return {
        "uid": key.identifier,
        "name": finding.logical_id or key.identifier,
        "type": key.type,
        "region": key.region,
        "cloud_partition": key.partition,
        "owner": {"account": {"uid": key.account, "type": "AWS Account", "type_id": 10}},
    }


def _activity(finding: Finding, report: Report) -> int:
    if finding.status is FindingStatus.RESOLVED:
        return 3
    return 1 if finding.fingerprint in report.new else 2
