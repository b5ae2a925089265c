"""List what was accepted, by whom and until when; or take one back."""

from __future__ import annotations

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.output import output_option, print_json
from driftguard.cli.tables import table


@click.command("waivers", help=__doc__)
@click.option("--remove", "removed", metavar="ID", multiple=True, help="End this one now; repeatable.")
@output_option()
@pass_app
def command(app: App, removed: tuple[str, ...], output: str) -> None:
    """What it covered is open again from the next scan on."""
    from driftguard.history.codec import encode
    from driftguard.wiring import Wiring

    with Wiring(app.settings, existing=True) as wiring:
        for name in removed:
            wiring.store.remove_waiver(name, actor=wiring.actor)
        listed = sorted(wiring.store.waivers(), key=lambda waiver: (waiver.expires_at, waiver.id))
    if output == "json":
        print_json(encode(listed))
        return
    rows = [
        (
            waiver.id,
            f"{waiver.expires_at:%Y-%m-%d}",
            waiver.owner,
            " ".join((*_narrowed(waiver.account, waiver.region, waiver.type, waiver.resource), *waiver.tags)),
            waiver.path if waiver.policy == "*" else waiver.policy,
            waiver.reason,
        )
        for waiver in listed
    ]
    table(("ID", "UNTIL", "OWNER", "RESOURCE", "WHAT", "REASON"), rows, empty="Nothing is accepted.")


def _narrowed(*selectors: str) -> tuple[str, ...]:
    """Those that do not fit anything."""
    return tuple(one for one in selectors if one != "*")
