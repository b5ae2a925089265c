"""The stacks that were read, and how much of the estate they declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.filters import list_options
from driftguard.cli.output import output_option, print_json
from driftguard.cli.tables import more, table

if TYPE_CHECKING:
    from driftguard.history.port import Query


@click.command("stacks", help=__doc__)
@list_options("stacks", types=False)
@output_option()
@pass_app
def command(app: App, query: Query, output: str) -> None:
    from driftguard.history.standing import standing
    from driftguard.wiring import Wiring

    with Wiring(app.settings) as wiring:
        page = wiring.store.stacks(query)
        # The newest run may have looked at one stack; the share is that of the whole.
        known = standing(wiring.store, query.at) if output != "json" else None
    if output == "json":
        from driftguard.report.document import stack_document

        print_json({"stacks": [stack_document(stack) for stack in page.items], "cursor": page.cursor})
        return
    table(
        ("STACK", "STATUS", "RESOURCES", "ACCOUNT", "REGION", "PROTECTED", "CLOUDFORMATION SAYS"),
        (
            (
                s.name,
                s.status,
                s.resources,
                s.account,
                s.region,
                "yes" if s.termination_protection else "no",
                s.drift_status,
            )
            for s in page.items
        ),
        "No stack is known: `driftguard scan`.",
    )
    report = known.report if known else None
    if report and report.managed + report.unmanaged:
        share = 100 * report.managed / (report.managed + report.unmanaged)
        click.echo(f"\nIaC coverage: {share:.1f} % ({report.managed} managed, {report.unmanaged} unmanaged)")
    more(page.cursor, page.total)
