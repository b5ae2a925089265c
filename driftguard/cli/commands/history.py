"""The timeline of a resource, property by property, or the list of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.decisions import one_resource
from driftguard.cli.output import output_option, print_json
from driftguard.cli.tables import table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from driftguard.history.port import Store
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
    with Wiring(app.settings) as wiring:
        if runs or resource is None:
            _runs(wiring, output)
        else:
            _resource(wiring, resource, backfill, output)


def _resource(wiring: Wiring, resource: str, backfill: bool, output: str) -> None:
    from driftguard.history.timeline import timeline
    from driftguard.report.document import changed_by_document, moment

    key = one_resource(wiring.store, resource)
    if backfill:
        from driftguard.scan.backfill import backfill as ask

        counts = ask(wiring.aws, wiring.store, key)
        click.echo(f"AWS Config had {counts.items - counts.unchanged} states more.", err=True)
    entries = timeline(wiring.store.versions(key))
    acts = _acts(wiring.store, key)
    if output == "json":
        print_json(
            {
                "resource": str(key),
                "entries": [
                    {
                        "at": moment(e.at),
                        "kind": e.kind,
                        "source": e.source,
                        "changes": [
                            {
                                "path": c.path,
                                "before": c.before,
                                "after": c.after,
                                "changed_by": changed_by_document(_who(acts, e.at, c.path)),
                            }
                            for c in e.changes
                        ],
                    }
                    for e in entries
                ],
            }
        )
        return
    _print(key, entries, acts)


def _print(
    key: ResourceKey, entries: Sequence[TimelineEntry], acts: Mapping[tuple[datetime, str], ChangedBy]
) -> None:
    from driftguard.model.phrase import phrase
    from driftguard.report.people import person

    click.secho(str(key), bold=True)
    for entry in entries:
        click.echo(f"\n{entry.at:%Y-%m-%d %H:%M:%S} UTC  {entry.kind.lower()}  ({entry.source})")
        for change in entry.changes:
            before, after = (
                "(absent)" if gone else phrase(value)
                for gone, value in ((change.added, change.before), (change.removed, change.after))
            )
            click.echo(f"  {change.path}\n    - {before}\n    + {after}")
            if by := _who(acts, entry.at, change.path):
                click.echo(
                    f"    by {person(by.principal)} via {by.source}, {by.event}, {by.time:%Y-%m-%d %H:%M} UTC"
                )


def _acts(store: Store, key: ResourceKey) -> Mapping[tuple[datetime, str], ChangedBy]:
    """Who made each change that became a finding: (when it was first seen, subject) -> act."""
    from driftguard.history.port import Query

    query = Query(accounts=(key.account,), types=(key.type,), identifiers=(key.identifier,), limit=500)
    return {
        (one.first_seen, one.subject): one.changed_by
        for one in store.findings(query).items
        if one.key == key and one.changed_by is not None
    }


def _who(acts: Mapping[tuple[datetime, str], ChangedBy], at: datetime, path: str) -> ChangedBy | None:
    from driftguard.history.faults import normalise

    subject = normalise(path)
    known = ((seen, told, by) for (seen, told), by in acts.items() if seen == at and told)
    return next((by for _, told, by in known if f"{subject}/".startswith(f"{told}/")), None)


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
