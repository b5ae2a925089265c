"""Fetch an account's own resource schemas: private types, and public ones that are newer than ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.output import output_option, print_json
from driftguard.errors import InputError

if TYPE_CHECKING:
    from driftguard.aws import Place
    from driftguard.wiring import Wiring

_FOLDER = "schemas"


@click.group("schema", help=__doc__)
def command() -> None:
    """Fetch an account's own resource schemas: private types, and public ones that are newer than ours."""


@command.command("refresh")
@click.option("--account", required=True, help="The account to ask.")
@click.option("--region", required=True, help="The region to ask.")
@click.option(
    "--type", "types", multiple=True, help="Only this type; repeatable.  Default: private and declared ones."
)
@click.option("--folder", help=f"Where to keep them; default: `scan.schemas`, or ./{_FOLDER}.")
@output_option()
@pass_app
def refresh(
    app: App, account: str, region: str, types: tuple[str, ...], folder: str | None, output: str
) -> None:
    """Ask DescribeType for the private types and for those that the last scan saw declared there."""
    from pathlib import Path

    from driftguard.schema.accounts import save
    from driftguard.wiring import Wiring

    target = folder or app.settings.scan.schemas or _FOLDER
    with Wiring(app.settings) as wiring:
        place = _place(wiring, account, region)
        names = types or _wanted(wiring, place)
        schemas, unknown = {}, []
        for name in names:
            answer = place.cloudformation.describe_type(name)
            if answer is None or not answer.get("Schema"):
                unknown.append(name)
            else:
                schemas[name] = str(answer["Schema"])
    file = save(Path(target), account, region, schemas) if schemas else None
    if output == "json":
        print_json(
            {"file": str(file) if file else None, "types": sorted(schemas), "unknown": sorted(unknown)}
        )
        return
    click.echo(f"{len(schemas)} schemas are kept in {file}." if file else "There was no schema to keep.")
    if unknown:
        click.echo(f"AWS gave no schema for {', '.join(sorted(unknown))}.")
    if file and target != app.settings.scan.schemas:
        click.echo(f"Scans use them once the configuration says so:\n\nscan:\n  schemas: {target}")


def _place(wiring: Wiring, account: str, region: str) -> Place:
    from driftguard.model import Gap

    for target in wiring.aws.targets():
        if (target.account, target.region) == (account, region):
            place = wiring.aws.enter(target)
            if isinstance(place, Gap):
                raise InputError(place.detail)
            return place
    raise InputError(
        f"{account}/{region} is not in the scope of the settings.", fix="Add it to `scope`, or name another."
    )


def _wanted(wiring: Wiring, place: Place) -> tuple[str, ...]:
    """The account's private types, and the types that the last scan saw declared in it."""
    from driftguard.history.port import Query
    from driftguard.history.query import every

    query = Query(accounts=(place.account,), limit=10_000)
    declared = {drift.key.type for drift in every(wiring.store.drifts, query) if drift.logical_id}
    private = set(place.cloudformation.private_types())
    custom = {name for name in declared if name.startswith("Custom::")}
    return tuple(sorted((declared - custom) | private))
