"""Run the schedules of a larger installation, without pages."""

from __future__ import annotations

import click

from driftguard.cli.app import App, pass_app


@click.command("worker", help=__doc__)
@pass_app
def command(app: App) -> int:
    from driftguard.service.serve import work
    from driftguard.wiring import Wiring

    with Wiring(app.settings) as wiring:
        work(wiring, verbose=app.verbose)
    return 0
