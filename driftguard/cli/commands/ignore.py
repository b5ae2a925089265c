"""Leave a property out of drift: of a type, or of one resource."""

from __future__ import annotations

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.decisions import Decision, decision_options
from driftguard.errors import InputError


@click.command("ignore", help=__doc__)
@click.argument("property_", metavar="TYPE:POINTER")
@click.option("--resource", default="*", help="Only this resource; wildcards allowed.")
@click.option("--account", default="*", help="Only this account; wildcards allowed.")
@decision_options
@pass_app
def command(app: App, property_: str, resource: str, account: str, decision: Decision) -> None:
    from driftguard.schema import registry
    from driftguard.wiring import Wiring

    type_name, _, pointer = property_.partition(":/")
    schema = registry().get(type_name)
    if not pointer or (schema is None and "*" not in type_name):
        raise InputError(f"{property_!r} is not TYPE:POINTER.", fix="Write AWS::ECS::Service:/DesiredCount.")
    waiver = decision.waiver(
        policy="*",
        account=account,
        type=type_name,
        resource=resource,
        path=f"/{pointer}",
    )
    with Wiring(app.settings) as wiring:
        wiring.store.put_waiver(waiver, actor=wiring.actor)
    click.echo(f"{waiver.id}: {property_} is left out until {waiver.expires_at:%Y-%m-%d}.")
