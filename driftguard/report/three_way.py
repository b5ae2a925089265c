"""Repository, deployed and live: the rows that reports show of it."""

from __future__ import annotations

from dataclasses import dataclass

from driftguard.model import Report
from driftguard.report.messages import Messages

_PATHS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One resource: which of the three differ, where its template stands, and what is not deployed."""

    resource: str
    type: str
    place: str
    verdict: str
    file: str
    paths: str


def source_rows(report: Report, say: Messages) -> tuple[SourceRow, ...]:
    """The resources of which repository, deployed template and live resource are not all the same."""
    rows = []
    for one in report.three_way:
        paths = [difference.path for difference in one.undeployed]
        more = f" {say('elements.more', count=len(paths) - _PATHS)}" if len(paths) > _PATHS else ""
        line = f":{one.location.line}" if one.location else ""
        rows.append(
            SourceRow(
                resource=one.logical_id,
                type=one.type,
                place=" · ".join((one.account, one.region, one.stack)),
                verdict=say(f"three_way.{one.verdict.value}"),
                file=f"{one.file}{line}",
                paths=" ".join(paths[:_PATHS]) + more,
            )
        )
    return tuple(rows)
