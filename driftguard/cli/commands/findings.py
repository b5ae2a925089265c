"""What is wrong now, the worst first, out of the store: drift, policies that are not met, what no stack declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.filters import anywhere, list_options, page_query
from driftguard.cli.output import output_option, print_json
from driftguard.cli.tables import more, table

if TYPE_CHECKING:
    from driftguard.history.port import Query
    from driftguard.model import Finding


@click.command("findings", help=__doc__)
@click.option("--all", "everything", is_flag=True, help="Resolved and waived findings too.")
@list_options("findings", severities=True, kinds=True, policies=True, verdict=True)
@output_option()
@pass_app
def command(app: App, query: Query, everything: bool, output: str) -> int:
    from driftguard.wiring import Wiring

    if not query.statuses and not everything:
        query = page_query(query, statuses=("OPEN",))
    with Wiring(app.settings) as wiring:
        page = wiring.store.findings(query)
        opened = anywhere(wiring.store.findings, query, "OPEN", "NEW", "NOTIFIED")
    if output == "json":
        from driftguard.report.document import known_finding_document

        print_json(
            {
                "findings": [known_finding_document(finding) for finding in page.items],
                "total": page.total,
                "cursor": page.cursor,
            }
        )
    else:
        table(
            ("SEVERITY", "STATUS", "WHAT", "TYPE", "RESOURCE", "ACCOUNT", "STACK", "SINCE", "WHO", "ID"),
            (_row(finding) for finding in page.items),
            "Nothing is open.",
        )
        more(page.cursor, page.total)
    return 1 if opened else 0


def _row(finding: Finding) -> tuple[str, ...]:
    from driftguard.report.people import person

    key, by = finding.key, finding.changed_by
    return (
        finding.severity,
        finding.status,
        finding.title,
        key.type,
        finding.logical_id or key.identifier,
        key.account,
        finding.stack,
        f"{finding.first_seen:%Y-%m-%d}",
        person(by.principal) if by is not None else "",
        finding.fingerprint[:12],
    )
