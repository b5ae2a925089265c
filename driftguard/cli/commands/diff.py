"""What is different in the estate between two moments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.filters import moment
from driftguard.cli.output import output_option, print_json
from driftguard.errors import InputError

if TYPE_CHECKING:
    from driftguard.wiring import Wiring


@click.command("diff", help=__doc__)
@click.option("--from", "start", required=True, metavar="TIME", help="The earlier moment.")
@click.option("--to", "end", metavar="TIME", help="The later moment; default: now.")
@click.option("--account", "accounts", multiple=True, help="Only this account; repeatable.")
@output_option()
@pass_app
def command(app: App, start: str, end: str | None, accounts: tuple[str, ...], output: str) -> None:
    from driftguard.cli.values import change_words
    from driftguard.cli.vocabulary import Names
    from driftguard.history.port import Query
    from driftguard.history.timeline import estate_changes
    from driftguard.wiring import Wiring

    since, until = moment(start, start=True), moment(end) or datetime.now(UTC)
    if since is None:
        raise InputError("--from names no moment.", fix="Write 2026-09-30 or 2026-09-30T02:00:00+09:00.")
    with Wiring(app.settings, existing=True) as wiring:
        _refuse_nonsense(wiring, since, until)
        Names(wiring).checked(Query(accounts=accounts))
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
            click.echo(f"           {change.path}: {' -> '.join(change_words(change))}")
    if not changes:
        click.echo("Nothing is different.")


def _refuse_nonsense(wiring: Wiring, since: datetime, until: datetime) -> None:
    """Raises `InputError` where nothing can be different; says so where not all of the time was looked at."""
    from driftguard.history.port import Query

    if since > until:
        raise InputError(
            f"--from ({since:%Y-%m-%d %H:%M} UTC) is later than --to ({until:%Y-%m-%d %H:%M} UTC).",
            fix="A day begins at --from and ends at --to; without --to it is now.",
        )
    oldest = wiring.store.runs(Query(limit=1, order="started_at")).items
    if oldest and since < oldest[0].started_at:
        click.echo(
            f"The first run began {oldest[0].started_at:%Y-%m-%d %H:%M} UTC; of what was before, only what AWS Config "
            "told is known, and the rest counts as created.",
            err=True,
        )
