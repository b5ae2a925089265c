"""Serve the pages, the REST API and the schedules."""

from __future__ import annotations

import click

from driftguard.cli.app import App, pass_app


@click.command("serve", help=__doc__)
@click.option("--host", help="The address to listen on (default: `web.host`, 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="The port to listen on (default: `web.port`).")
@click.option("--no-schedules", is_flag=True, help="Only answer; let `driftguard worker` run the schedules.")
@pass_app
def command(app: App, host: str | None, port: int | None, no_schedules: bool) -> int:
    from driftguard.service.serve import serve
    from driftguard.wiring import Wiring

    given = {"host": host, "port": port}
    web = app.settings.web.model_copy(
        update={name: value for name, value in given.items() if value is not None}
    )
    with Wiring(app.settings.model_copy(update={"web": web})) as wiring:
        serve(
            wiring,
            schedules=not no_schedules,
            verbose=app.verbose,
            tell=lambda text: click.echo(text, err=True),
        )
    return 0
