"""Look after the store: verify, anchor, back up, restore, compact, forget what is older than the retention."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from driftguard.cli.app import App, pass_app
from driftguard.errors import InputError


@click.group("store", help=__doc__)
def command() -> None: ...


@command.command("verify")
@click.option("--anchor", metavar="SEQ:DIGEST", help="What `store anchor` printed, kept somewhere else.")
@pass_app
def verify(app: App, anchor: str | None) -> int:
    """Check integrity, hashes, intervals and the audit chain.

    Whoever can write to the store can write the audit log anew, digests included: only an anchor tells that.
    """
    from driftguard.wiring import Wiring

    sequence, _, digest = (anchor or "").partition(":")
    if anchor is not None and not (sequence.isdecimal() and digest):
        raise InputError(f"{anchor!r} is no anchor.", fix="Give what `driftguard store anchor` printed.")
    with Wiring(app.settings) as wiring:
        faults = wiring.store.verify(anchor=(int(sequence), digest) if anchor is not None else None)
    for fault in faults:
        click.echo(fault, err=True)
    click.echo("faulty" if faults else "intact")
    return 2 if faults else 0


@command.command("anchor")
@pass_app
def anchor_(app: App) -> None:
    """Print the newest entry of the audit log, to be kept where nobody who writes here can write."""
    from driftguard.wiring import Wiring

    with Wiring(app.settings) as wiring:
        sequence, digest = wiring.store.anchor()
    click.echo(f"{sequence}:{digest}")


@command.command("restore")
@click.argument("source")
@pass_app
def restore(app: App, source: str) -> None:
    """Fill the configured store, which must be empty or not there yet, from a backup."""
    from driftguard.history.open import restore_store

    restore_store(app.settings.store.url, Path(source))
    click.echo("Restored. `driftguard store verify` checks it.")


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
    """Forget closed versions and verdicts older than `store.retention_days`.

    What a bundle of evidence was exported of stays, so that it can be exported again.  Evidence of another date
    from before then is refused afterwards: export first what an audit will ask for.
    """
    from driftguard.wiring import Wiring

    before = datetime.now(UTC) - timedelta(days=app.settings.store.retention_days)
    if not yes:
        click.echo(f"Would forget versions that ended before {before:%Y-%m-%d}. Repeat with --yes.")
        return
    with Wiring(app.settings) as wiring:
        gone = wiring.store.retain(before)
        wiring.store.compact()
    click.echo(
        f"Forgot what ended before {before:%Y-%m-%d}: {gone.versions} versions, {gone.bodies} bodies, "
        f"{gone.drifts} drifts and {gone.evaluations} verdicts, and what {gone.runs} lists of runs held."
    )


@command.command("compact")
@pass_app
def compact(app: App) -> None:
    """Give back what is free and build indexes anew; once a month does.

    On PostgreSQL others go on reading and writing meanwhile; on SQLite they wait until it is done.
    """
    from driftguard.wiring import Wiring

    with Wiring(app.settings) as wiring:
        before = wiring.store.size()
        wiring.store.compact()
        after = wiring.store.size()
    click.echo(f"{after / 1e6:.1f} MB; it was {before / 1e6:.1f} MB.")
