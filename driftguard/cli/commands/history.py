"""The timeline of a resource, property by property, or the list of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.decisions import one_resource
from driftguard.cli.output import output_option, print_json
from driftguard.cli.tables import table
from driftguard.cli.values import change_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftguard.history.timeline import TimelineEntry
    from driftguard.model import ChangedBy, ResourceKey
    from driftguard.wiring import Wiring


@click.command("history", help=__doc__)
@click.argument("resource", required=False)
@click.option("--runs", is_flag=True, help="The runs instead of a resource.")
@click.option("--backfill", is_flag=True, help="First ask AWS Config what was before and between the scans.")
@output_option()
@pass_app
def command(app: App, resource: str | None, runs: bool, backfill: bool, output: str) -> None:
    from driftguard.wiring import Wiring

    if not runs and not resource:
        raise click.UsageError("Name a resource, or ask for --runs.")
    with Wiring(app.settings, existing=True) as wiring:
        if runs or resource is None:
            _runs(wiring, output)
        else:
            _resource(wiring, resource, backfill, output)


def _resource(wiring: Wiring, resource: str, backfill: bool, output: str) -> None:
    from driftguard.history.timeline import acts_of, timeline
    from driftguard.report.document import changed_by_document, moment

    key = one_resource(wiring.store, resource)
    if backfill:
        from driftguard.scan.backfill import backfill as ask

        counts = ask(wiring.aws, wiring.store, key)
        click.echo(f"AWS Config had {counts.items - counts.unchanged} states more.", err=True)
    entries = timeline(wiring.store.versions(key), acts_of(wiring.store, key))
    if output == "json":
        print_json(
            {
                "resource": str(key),
                "entries": [
                    {
                        "at": moment(e.at),
                        "kind": e.kind,
                        "source": e.source,
                        "changed_by": changed_by_document(e.acts.get("")),
                        "changes": [
                            {
                                "path": c.path,
                                "before": c.before,
                                "after": c.after,
                                "changed_by": changed_by_document(e.acts.get(c.path)),
                            }
                            for c in e.changes
                        ],
                    }
                    for e in entries
                ],
            }
        )
        return
    _print(key, entries)


def _print(key: ResourceKey, entries: Sequence[TimelineEntry]) -> None:
    click.secho(str(key), bold=True)
    for entry in entries:
        click.echo(f"\n{entry.at:%Y-%m-%d %H:%M:%S} UTC  {entry.kind.lower()}  ({entry.source})")
        if by := entry.acts.get(""):
            click.echo(f"  by {_who(by)}")
        for change in entry.changes:
            before, after = change_words(change)
            click.echo(f"  {change.path}\n    - {before}\n    + {after}")
            if by := entry.acts.get(change.path):
                click.echo(f"    by {_who(by)}")


def _who(by: ChangedBy) -> str:
    from driftguard.report.people import person

    return f"{person(by.principal)} via {by.source}, {by.event}, {by.time:%Y-%m-%d %H:%M} UTC"


def _runs(wiring: Wiring, output: str) -> None:
    from driftguard.history.port import Query
    from driftguard.report.document import run_document

    page = wiring.store.runs(Query(limit=100))
    if output == "json":
        print_json({"runs": [run_document(run) for run in page.items], "cursor": page.cursor})
        return
    table(
        ("RUN", "STARTED", "STATUS", "OUTCOME", "TRIGGER", "ERROR"),
        (
            (
                run.id,
                f"{run.started_at:%Y-%m-%d %H:%M:%S}",
                run.status,
                run.outcome or "",
                run.trigger,
                run.error,
            )
            for run in page.items
        ),
        "There is no run yet: `driftguard scan`.",
    )
