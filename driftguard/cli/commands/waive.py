"""Accept a finding, or all of a root cause, for a while: owner, reason and expiry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.decisions import Decision, decision_options
from driftguard.errors import InputError

if TYPE_CHECKING:
    from driftguard.history.port import Store

    Selectors = dict[str, str | tuple[str, ...]]


@click.command("waive", help=__doc__)
@click.argument("finding", required=False)
@click.option("--cause", default="", metavar="ID", help="Each finding of this root cause.")
@click.option("--policy", default="*", help="Policy id; wildcards allowed.")
@click.option("--account", default="*", help="Account id; wildcards allowed.")
@click.option("--region", default="*", help="Region; wildcards allowed.")
@click.option("--type", "type_", default="*", help="Resource type; wildcards allowed.")
@click.option("--resource", default="*", help="Resource identifier; wildcards allowed.")
@click.option("--tag", "tags", multiple=True, help="KEY=VALUE that the resource must carry; repeatable.")
@decision_options
@pass_app
def command(
    app: App,
    finding: str | None,
    cause: str,
    policy: str,
    account: str,
    region: str,
    type_: str,
    resource: str,
    tags: tuple[str, ...],
    decision: Decision,
) -> None:
    from driftguard.wiring import Wiring

    by_hand: Selectors = {
        "policy": policy,
        "account": account,
        "region": region,
        "type": type_,
        "resource": resource,
        "tags": tags,
    }
    with Wiring(app.settings) as wiring:
        for selectors in _selected(wiring.store, finding or "", cause, by_hand):
            waiver = decision.waiver(**selectors)
            wiring.store.put_waiver(waiver, actor=wiring.actor)
            until = f"{waiver.expires_at:%Y-%m-%d}"
            click.echo(f"{waiver.id}: accepted until {until}. It counts from the next scan on.")


def _selected(store: Store, finding: str, cause: str, by_hand: Selectors) -> list[Selectors]:
    """What each waiver selects: one finding, each of a cause, or what the options say."""
    from driftguard.cli.chosen import findings_of_cause
    from driftguard.history.waivers import selectors

    narrowed = any(value not in ("*", ()) for value in by_hand.values())
    if (bool(finding), bool(cause), narrowed).count(True) > 1:
        raise InputError(
            "that names more than one thing.", fix="Name a finding, or a cause, or narrow it by options."
        )
    if cause:
        return [selectors(one) for one in findings_of_cause(store, cause)]
    if finding:
        found = store.finding(finding)
        if found is None:
            raise InputError(
                f"there is no finding {finding}.", fix="`driftguard drift` and `compliance` list them."
            )
        return [selectors(found)]
    if not narrowed:
        raise InputError(
            "that would waive everything.", fix="Name a finding or a cause, or narrow it with an option."
        )
    return [by_hand]
