"""Leave a property out of drift: of a type, or of one resource.  What policies say of it stays."""

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
    from driftguard.model import COMPARED
    from driftguard.wiring import Wiring

    type_name, _, rest = property_.partition(":/")
    if not rest:
        raise InputError(f"{property_!r} is not TYPE:POINTER.", fix="Write AWS::ECS::Service:/DesiredCount.")
    pointer = f"/{rest}"
    _check(type_name, pointer)
    waiver = decision.waiver(
        policy="*", account=account, type=type_name, resource=resource, path=pointer, kinds=COMPARED
    )
    with Wiring(app.settings) as wiring:
        wiring.store.put_waiver(waiver, actor=wiring.actor)
    click.echo(f"{waiver.id}: {property_} is left out until {waiver.expires_at:%Y-%m-%d}.")


def _check(type_name: str, pointer: str) -> None:
    """Raise `InputError` for a type or a property that there is not: it would leave out nothing, or too much."""
    from driftguard.rules.paths import near_type
    from driftguard.schema import registry

    if any(char in type_name for char in "*?"):
        if not pointer.strip("/*?"):
            raise InputError("that would leave out everything.", fix="Name a type, or a property.")
        return
    schema = registry().get(type_name)
    if schema is None:
        raise InputError(f"there is no resource type {type_name}.", fix=near_type(type_name))
    if "?" not in pointer and not schema.known(pointer):
        near = schema.suggestion(pointer)
        raise InputError(f"{type_name} has no {pointer}.", fix=f"Did you mean {near}?" if near else "")
