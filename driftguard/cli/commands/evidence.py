"""Evidence for auditors: one framework at one date in one sealed file, verifiable offline."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.filters import moment


@click.group("evidence", help=__doc__)
def command() -> None: ...


@command.command("export")
@click.option("--framework", required=True, help="The framework, such as K-ISMS.")
@click.option("--at", metavar="TIME", help="The date; default: now.")
@click.option("--out", required=True, metavar="FILE", help="The bundle to write (.zip).")
@pass_app
def export_(app: App, framework: str, at: str | None, out: str) -> None:
    """Write the bundle and print its seal; keep the seal somewhere else too."""
    from driftguard.history.evidence import export
    from driftguard.history.key import key_path, load_key
    from driftguard.rules.shipped import all_frameworks
    from driftguard.wiring import Wiring

    settings = app.settings
    with Wiring(settings) as wiring:
        key = load_key(key_path(settings.store.url, settings.store.key_file))
        when = moment(at) or datetime.now(UTC)
        seal = export(
            wiring.store,
            framework,
            when,
            Path(out),
            actor=wiring.actor,
            key=key,
            listed=all_frameworks().get(framework),
        )
    click.echo(f"{out}\nseal {seal}")


@command.command("verify")
@click.argument("bundle")
@click.option("--seal", help="The seal that was kept elsewhere.")
@click.option(
    "--key-file", metavar="FILE", help="The key of the installation, to see that it made the bundle."
)
def verify_(bundle: str, seal: str | None, key_file: str | None) -> int:
    """Check every byte of a bundle; needs neither AWS nor the store.

    Whoever can rewrite the whole bundle can seal it anew: only the seal or the key tells that.
    """
    from driftguard.history.evidence import verify
    from driftguard.history.key import read_key

    key = read_key(Path(key_file)) if key_file else None
    faults = verify(Path(bundle), seal=seal, key=key)
    for fault in faults:
        click.echo(fault, err=True)
    click.echo("NOT intact" if faults else "intact")
    return 2 if faults else 0
