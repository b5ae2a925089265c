"""CSV: one row per finding and per gap, for spreadsheets."""

from __future__ import annotations

import csv
import io

from driftguard.model import Report
from driftguard.model.markup import visible
from driftguard.report.document import moment
from driftguard.report.options import Options

MEDIA_TYPE = "text/csv; charset=utf-8"
SUFFIX = ".csv"
COLUMNS = (
    "record",
    "state",
    "severity",
    "kind",
    "title",
    "message",
    "account",
    "region",
    "resource_type",
    "identifier",
    "stack",
    "logical_id",
    "subject",
    "first_seen",
    "last_seen",
    "resolved_at",
    "occurrences",
    "changed_by",
    "owner",
    "waiver",
    "remedy",
    "detail",
    "fingerprint",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render(report: Report, options: Options) -> str:
    """``report`` as CSV with a header (RFC 4180); what was not looked at has rows of its own."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    for finding in (*report.findings, *report.resolved):
        key = finding.key
        state = "NEW" if finding.fingerprint in report.new else finding.status.value
        row = {
            "record": "FINDING",
            "state": "REOPENED" if finding.fingerprint in report.reopened else state,
            "severity": finding.severity.value,
            "kind": finding.kind.value,
            "title": finding.title,
            "message": finding.message,
            "account": key.account,
            "region": key.region,
            "resource_type": key.type,
            "identifier": key.identifier,
            "stack": finding.stack,
            "logical_id": finding.logical_id,
            "subject": finding.subject,
            "first_seen": moment(finding.first_seen),
            "last_seen": moment(finding.last_seen),
            "resolved_at": moment(finding.resolved_at),
            "occurrences": str(finding.occurrences),
            "changed_by": finding.changed_by.principal if finding.changed_by else "",
            "owner": finding.owner,
            "waiver": finding.waiver,
            "remedy": finding.remedy,
            "detail": finding.detail,
            "fingerprint": finding.fingerprint,
        }
        writer.writerow({name: _cell(value) for name, value in row.items()})
    for gap in report.gaps:
        row = {
            "record": "GAP",
            "state": gap.reason.value,
            "message": gap.detail,
            "account": gap.account,
            "region": gap.region,
            "resource_type": gap.type,
            "identifier": gap.identifier,
            "stack": gap.stack,
            "subject": gap.path,
            "detail": gap.action,
        }
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return out.getvalue()


def _cell(value: str | None) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, "CSV Injection"), and that commands no terminal."""
    text = visible(value or "")
    return f"'{text}" if text.startswith(_FORMULA) else text
