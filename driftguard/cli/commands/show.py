"""A resource as it is, or as it was at a moment."""

from __future__ import annotations

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.decisions import one_resource
from driftguard.cli.filters import moment
from driftguard.cli.output import output_option, print_json
from driftguard.errors import InputError


@click.command("show", help=__doc__)
@click.argument("resource")
@click.option("--at", metavar="TIME", help="A moment: 2026-09-30 or 2026-09-30T02:00Z.")
@output_option()
@pass_app
def command(app: App, resource: str, at: str | None, output: str) -> None:
    import orjson

    from driftguard.wiring import Wiring

    with Wiring(app.settings, existing=True) as wiring:
        key = one_resource(wiring.store, resource)
        state = wiring.store.resource(key, moment(at))
    if state is None:
        raise InputError(f"{key} did not exist {'then' if at else 'any more'}, or was not seen yet.")
    if output == "json":
        print_json(
            {"resource": str(key), "arn": state.arn, "source": state.source, "properties": state.properties}
        )
        return
    click.secho(str(key), bold=True)
    click.echo(
        f"read from {state.source}"
        + (f" at {state.captured_at:%Y-%m-%d %H:%M} UTC" if state.captured_at else "")
    )
    click.echo(
        orjson.dumps(dict(state.properties), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
    )
