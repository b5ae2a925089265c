"""Trends: the numbers of each run, written with it and read back for pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from driftguard.history.codec import from_text, iso
from driftguard.history.tables.base import Part
from driftguard.model import FindingKind, Report
from driftguard.model.trend import TrendPoint


def trend_point(report: Report, at: datetime) -> TrendPoint:
    """The numbers of a run; ``at`` is the moment of its snapshot."""
    opened = [finding for finding in report.findings if finding.open]
    drifting = [finding for finding in opened if finding.kind is not FindingKind.COMPLIANCE]
    hours = [max(0.0, (at - finding.first_seen).total_seconds() / 3600) for finding in drifting]
    coverage = report.coverage
    whole = (
        coverage.checked
        + coverage.not_checked
        + coverage.unsupported
        + coverage.throttled
        + coverage.unresolved
    )
    return TrendPoint(
        run=report.run.id,
        at=at,
        open=dict(Counter(finding.severity.value for finding in opened)),
        drift_open=len(drifting),
        mean_hours_in_drift=round(sum(hours) / len(hours), 2) if hours else None,
        compliance=_compliance(report),
        coverage=round(100 * coverage.checked / whole, 2) if whole else None,
        new=len(report.new),
        resolved=len(report.resolved),
    )


def _compliance(report: Report) -> dict[str, float]:
    # Every command opens the store, and few record a run: the rules are loaded by those alone.
    from driftguard.rules.scores import of_report

    return {name: one.percent for name, one in of_report(report).items() if one.percent is not None}


class TrendPart(Part):
    """Reading trends."""

    def trends(self, since: datetime | None = None, limit: int = 400) -> Sequence[TrendPoint]:
        """The numbers of the newest ``limit`` runs, oldest first."""
        with self.database.read() as connection:
            rows = connection.rows(
                "SELECT trend FROM runs WHERE trend IS NOT NULL AND started_at >= ? ORDER BY seq DESC LIMIT ?",
                (iso(since) if since is not None else "", limit),
            )
        return [from_text(TrendPoint, row[0]) for row in reversed(rows)]
