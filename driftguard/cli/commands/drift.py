"""What differs from its declaration now, out of the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.filters import anywhere, list_options, page_query
from driftguard.cli.output import output_option, print_json
from driftguard.cli.tables import more, table

if TYPE_CHECKING:
    from driftguard.history.port import Query
    from driftguard.model import Drift, Json, Report

_DEFAULT = ("DRIFTED",)


@click.command("drift", help=__doc__)
@click.option("--all", "everything", is_flag=True, help="In-sync and unchecked resources too.")
@list_options("drift", verdict=True)
@output_option()
@pass_app
def command(app: App, query: Query, everything: bool, output: str) -> int:
    from driftguard.history.standing import standing, standing_runs
    from driftguard.wiring import Wiring

    if not query.statuses and not everything:
        query = page_query(query, statuses=_DEFAULT)
    with Wiring(app.settings) as wiring:
        page = wiring.store.drifts(query)
        # Of the moment that was asked for, and not of the newest run alone: it may have looked at one stack.
        known = standing(wiring.store, query.at) if output == "json" else None
        looked = bool(page.items or standing_runs(wiring.store.runs, query.at))
        drifted = anywhere(wiring.store.drifts, query, "DRIFTED", "MODIFIED", "DELETED")
    if output == "json":
        print_json(_document(page.items, known.report if known else None))
    else:
        none = "No run had ended by then." if query.at else "There is no run yet: `driftguard scan`."
        empty = "Nothing is in drift." if looked else none
        table(
            ("STATUS", "RESOURCE", "TYPE", "ACCOUNT", "REGION", "STACK", "WHAT", "WHO"),
            (_row(drift) for drift in page.items),
            empty,
        )
        more(page.cursor, page.total)
    return 1 if drifted else 0


def _document(drifts: Sequence[Drift], report: Report | None) -> Json:
    from driftguard.model import CoverageCounts
    from driftguard.report.document import drift_list_document

    return drift_list_document(
        drifts,
        run=report.run if report else None,
        outcome=report.outcome if report else "PARTIAL",
        coverage=report.coverage if report else CoverageCounts(),
        findings=[f for f in report.findings if f.kind != "COMPLIANCE"] if report else (),
        gaps=report.gaps if report else (),
    )


def _row(drift: Drift) -> tuple[str, ...]:
    paths = [d.path for d in drift.differences] + [u.path for u in drift.undeclared if u.confirmed]
    by = drift.changed_by
    who = (by.session or by.principal.rsplit("/", 1)[-1]) if by else "nobody found" if drift.drifted else ""
    name = drift.logical_id or drift.physical_id or drift.key.identifier
    undeclared = drift.drifted and drift.status == "IN_SYNC"  # as declared, and changed beside it
    return (
        "UNDECLARED" if undeclared else drift.status,
        name,
        drift.key.type,
        drift.key.account,
        drift.key.region,
        drift.stack,
        " ".join(paths[:3]) + (" …" if len(paths) > 3 else ""),
        who,
    )
