"""What differs from its declaration now, out of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.filters import list_options, page_query
from driftguard.cli.output import output_option, print_json
from driftguard.cli.tables import more, table

if TYPE_CHECKING:
    from driftguard.history.port import Query
    from driftguard.model import Drift

_DEFAULT = ("MODIFIED", "DELETED")


@click.command("drift", help=__doc__)
@click.option("--all", "everything", is_flag=True, help="In-sync and unchecked resources too.")
@list_options("drift", verdict=True)
@output_option()
@pass_app
def command(app: App, query: Query, everything: bool, output: str) -> int:
    from driftguard.model import CoverageCounts
    from driftguard.wiring import Wiring

    if not query.statuses and not everything:
        query = page_query(query, statuses=_DEFAULT)
    with Wiring(app.settings) as wiring:
        page = wiring.store.drifts(query)
        report = wiring.store.report()
    if output == "json":
        from driftguard.report.document import drift_list_document

        print_json(
            drift_list_document(
                page.items,
                run=report.run if report else None,
                outcome=report.outcome if report else "PARTIAL",
                coverage=report.coverage if report else CoverageCounts(),
                findings=[f for f in report.findings if f.kind != "COMPLIANCE"] if report else (),
                gaps=report.gaps if report else (),
            )
        )
    else:
        empty = "Nothing is in drift." if report else "There is no run yet: `driftguard scan`."
        table(
            ("STATUS", "RESOURCE", "TYPE", "ACCOUNT", "REGION", "STACK", "WHAT", "WHO"),
            (_row(drift) for drift in page.items),
            empty,
        )
        more(page.cursor, page.total)
    return 1 if any(drift.drifted for drift in page.items) else 0


def _row(drift: Drift) -> tuple[str, ...]:
    paths = [d.path for d in drift.differences] + [u.path for u in drift.undeclared if u.confirmed]
    by = drift.changed_by
    who = (by.session or by.principal.rsplit("/", 1)[-1]) if by else "nobody found" if drift.drifted else ""
    name = drift.logical_id or drift.physical_id or drift.key.identifier
    return (
        drift.status,
        name,
        drift.key.type,
        drift.key.account,
        drift.key.region,
        drift.stack,
        " ".join(paths[:3]) + (" …" if len(paths) > 3 else ""),
        who,
    )
