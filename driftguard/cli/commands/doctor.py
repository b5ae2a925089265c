"""Check credentials, recorder, permissions and store; each fault with its fix."""

from __future__ import annotations

import dataclasses

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.output import output_option, print_json

_COLOURS = {"OK": "green", "WARNING": "yellow", "FAULT": "red"}


@click.command("doctor", help=__doc__)
@output_option()
@pass_app
def command(app: App, output: str) -> int:
    from driftguard.doctor import Health, examine
    from driftguard.wiring import Wiring

    with Wiring(app.settings) as wiring:
        checks = []
        for check in examine(wiring.aws, lambda: wiring.store):
            checks.append(check)
            if output == "text":
                mark = click.style(f"{check.health:<8}", fg=_COLOURS[check.health])
                click.echo(f"{mark} {check.place:<28} {check.name:<13} {check.detail} {check.fix}".rstrip())
    faults = sum(check.health is Health.FAULT for check in checks)
    if output == "json":
        print_json({"checks": [dataclasses.asdict(check) for check in checks], "faults": faults})
    elif faults:
        click.echo(f"\n{faults} fault{'s' if faults > 1 else ''} to fix before a scan sees everything.")
    else:
        click.echo("\nEverything a scan needs is there.")
    return 2 if faults else 0
