"""The resources that are known, out of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.filters import list_options
from driftguard.cli.output import output_option, print_json
from driftguard.cli.tables import more, table

if TYPE_CHECKING:
    from driftguard.history.port import Query


@click.command("resources", help=__doc__)
@list_options("resources")
@output_option()
@pass_app
def command(app: App, query: Query, output: str) -> None:
    from driftguard.wiring import Wiring

    with Wiring(app.settings) as wiring:
        page = wiring.store.resources(query)
    rows = [
        (r.key.type, r.key.identifier, r.name or "", r.key.account, r.key.region, r.source)
        for r in page.items
    ]
    if output == "json":
        names = ("type", "identifier", "name", "account", "region", "source")
        print_json({"resources": [dict(zip(names, row, strict=True)) for row in rows], "cursor": page.cursor})
        return
    table(
        ("TYPE", "IDENTIFIER", "NAME", "ACCOUNT", "REGION", "SOURCE"),
        rows,
        "No resource is known: `driftguard scan` or `driftguard snapshot import`.",
    )
    more(page.cursor, page.total)
