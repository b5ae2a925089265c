"""Look after the store: verify, back up, forget what is older than the retention."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from driftguard.cli.app import App, pass_app


@click.group("store", help=__doc__)
def command() -> None: ...


@command.command("verify")
@pass_app
def verify(app: App) -> int:
    """Check integrity, hashes, intervals and the audit chain."""
    from driftguard.wiring import Wiring

    with Wiring(app.settings) as wiring:
        faults = wiring.store.verify()
    for fault in faults:
        click.echo(fault, err=True)
    click.echo("faulty" if faults else "intact")
    return 2 if faults else 0


@command.command("backup")
@click.argument("target")
@pass_app
def backup(app: App, target: str) -> None:
    """Write a consistent copy to TARGET, while others go on working."""
    from driftguard.wiring import Wiring

    with Wiring(app.settings) as wiring:
        click.echo(wiring.store.backup(Path(target)))


@command.command("retain")
@click.option("--yes", is_flag=True, help="Really forget.")
@pass_app
def retain(app: App, yes: bool) -> None:
    """Forget closed versions older than `store.retention_days`; evidence stays."""
    from driftguard.wiring import Wiring

    before = datetime.now(UTC) - timedelta(days=app.settings.store.retention_days)
    if not yes:
        click.echo(f"Would forget versions that ended before {before:%Y-%m-%d}. Repeat with --yes.")
        return
    with Wiring(app.settings) as wiring:
        click.echo(wiring.store.retain(before))
