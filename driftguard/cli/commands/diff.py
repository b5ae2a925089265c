"""What is different in the estate between two moments."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.filters import moment
from driftguard.cli.output import output_option, print_json


@click.command("diff", help=__doc__)
@click.option("--from", "start", required=True, metavar="TIME", help="The earlier moment.")
@click.option("--to", "end", metavar="TIME", help="The later moment; default: now.")
@click.option("--account", "accounts", multiple=True, help="Only this account; repeatable.")
@output_option()
@pass_app
def command(app: App, start: str, end: str | None, accounts: tuple[str, ...], output: str) -> None:
    from driftguard.history.timeline import estate_changes
    from driftguard.wiring import Wiring

    since, until = moment(start), moment(end) or datetime.now(UTC)
    assert since is not None
    with Wiring(app.settings, existing=True) as wiring:
        changes = list(estate_changes(wiring.store, since, until, accounts))
    if output == "json":
        print_json(
            [
                {
                    "resource": str(one.key),
                    "kind": one.kind,
                    "changes": [{"path": c.path, "before": c.before, "after": c.after} for c in one.changes],
                }
                for one in changes
            ]
        )
        return
    for one in changes:
        click.echo(f"{one.kind:<8} {one.key}")
        for change in one.changes:
            click.echo(f"           {change.path}: {change.before!r} -> {change.after!r}")
    if not changes:
        click.echo("Nothing is different.")
