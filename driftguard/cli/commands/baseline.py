"""Record live states as a file that later scans are compared with."""

from __future__ import annotations

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.decisions import one_resource
from driftguard.cli.output import output_option, print_json, write_file
from driftguard.errors import InputError


@click.group("baseline", help=__doc__)
def command() -> None:
    """Record live states as a file that later scans are compared with."""


@command.command("record")
@click.argument("resources", nargs=-1)
@click.option("--account", "accounts", multiple=True, help="All resources of this account; repeatable.")
@click.option("--region", "regions", multiple=True, help="All resources of this region; repeatable.")
@click.option("--type", "types", multiple=True, help="All resources of this type; repeatable.")
@click.option("--stack", "stacks", multiple=True, help="All resources of this stack; repeatable.")
@click.option("--owner", required=True, help="Who answers for this state.")
@click.option("--reason", required=True, help="Why it is right.")
@click.option("--ignore", multiple=True, metavar="POINTER", help="A property left out, such as /Tags.")
@click.option("--out", required=True, type=click.Path(dir_okay=False), help="The file to write.")
@output_option()
@pass_app
def record(
    app: App,
    resources: tuple[str, ...],
    accounts: tuple[str, ...],
    regions: tuple[str, ...],
    types: tuple[str, ...],
    stacks: tuple[str, ...],
    owner: str,
    reason: str,
    ignore: tuple[str, ...],
    out: str,
    output: str,
) -> None:
    """RESOURCES, and all that the options name, as the last scan saw them.  Secrets are left out.

    Name the file under `scan.baselines` in the configuration, and scans compare these resources with it.
    """
    from driftguard.declared.baseline import dump_baseline
    from driftguard.history.port import Query
    from driftguard.history.query import every
    from driftguard.live import ACCOUNT
    from driftguard.wiring import Wiring

    with Wiring(app.settings, existing=True) as wiring:
        store = wiring.store
        found = {key: store.resource(key) for key in (one_resource(store, text) for text in resources)}
        if accounts or regions or types or stacks:
            query = Query(accounts=accounts, regions=regions, types=types, stacks=stacks, limit=10_000)
            found |= {one.key: one for one in every(store.resources, query)}
        recorded = [one for one in found.values() if one is not None and one.type != ACCOUNT]
        if not recorded:
            raise InputError(
                "no resource is named that a scan has seen.", fix="Name resources, or --type, --stack, ..."
            )
        text = dump_baseline(
            recorded,
            owner=owner,
            reason=reason,
            recorded_at=wiring.clock(),
            ignore={one.key.identifier: ignore for one in recorded},
        )
    write_file(out, text.encode())
    if output == "json":
        print_json({"file": out, "resources": [str(one.key) for one in recorded]})
        return
    click.echo(f"{len(recorded)} resources are recorded in {out}.")
    if out not in app.settings.scan.baselines:
        click.echo(f"Scans compare with it once the configuration says so:\n\nscan:\n  baselines: [{out}]")
