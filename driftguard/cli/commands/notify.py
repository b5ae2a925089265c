"""Who is told what: send a test, look at the outbox, send what waits."""

from __future__ import annotations

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.output import output_option, print_json
from driftguard.errors import InputError


@click.group("notify", help=__doc__)
def command() -> None:
    pass


@command.command("test")
@click.argument("channel")
@pass_app
def test(app: App, channel: str) -> int:
    """Send a test message to CHANNEL now."""
    from driftguard.notify import send_test
    from driftguard.wiring import Wiring

    found = {one.name: one for one in app.settings.notify.channels}
    if channel not in found:
        raise InputError(
            f"there is no channel `{channel}`.", fix=f"There are: {', '.join(sorted(found)) or 'none'}."
        )
    with Wiring(app.settings) as wiring:
        reference = send_test(found[channel], wiring.tools, wiring.clock())
        wiring.store.audit(wiring.actor, "notify.test", channel, {})
    click.echo(f"{channel} took the message{f' ({reference})' if reference else ''}.")
    return 0


@command.command("status")
@click.option("--channel", default="", help="Only this channel.")
@click.option("--limit", default=50, show_default=True, help="How many deliveries to show.")
@output_option()
@pass_app
def status(app: App, channel: str, limit: int, output: str) -> int:
    """The newest deliveries and what became of them."""
    from driftguard.notify.words import title
    from driftguard.wiring import Wiring

    with Wiring(app.settings) as wiring:
        listed = wiring.store.deliveries(channel, limit)
    rows = [
        {
            "id": one.id,
            "channel": one.channel,
            "state": one.state.value,
            "title": title(one.message, "en"),
            "not_before": one.not_before.isoformat(),
            "sent_at": one.sent_at.isoformat() if one.sent_at else None,
            "attempts": one.attempts,
            "error": one.error,
        }
        for one in listed
    ]
    if output == "json":
        print_json({"deliveries": rows})
        return 0
    for row in rows:
        click.echo(
            f"{row['state']:<10}{row['channel']:<16}{row['sent_at'] or row['not_before']}  {row['title']}  {row['error']}".rstrip()
        )
    if not rows:
        click.echo("Nothing was sent yet. `notify.routes` in config.yaml says what is.")
    return 0


@command.command("send")
@pass_app
def send(app: App) -> int:
    """Send what waits in the outbox now."""
    from driftguard.wiring import Wiring

    with Wiring(app.settings) as wiring:
        click.echo(f"{wiring.deliver()} messages sent.")
    return 0
