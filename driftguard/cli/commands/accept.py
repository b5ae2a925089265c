"""Accept what a resource is now: later changes of undeclared values are judged against it."""

from __future__ import annotations

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.decisions import one_resource
from driftguard.errors import InputError


@click.command("accept", help=__doc__)
@click.argument("resource")
@click.option("--reason", required=True, help="Why this state is right.")
@pass_app
def command(app: App, resource: str, reason: str) -> None:
    from driftguard.wiring import Wiring

    with Wiring(app.settings, existing=True) as wiring:
        key = one_resource(wiring.store, resource)
        state = wiring.store.resource(key)
        if state is None:
            raise InputError(f"{key} is gone; there is no state to accept.")
        wiring.store.put_witnesses({key: state.properties}, actor=wiring.actor, reason=reason)
    click.echo(
        f"The present state of {key} is its witness now. Declared differences need `driftguard waive`."
    )
