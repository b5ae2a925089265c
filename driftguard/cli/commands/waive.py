"""Accept a finding for a while: owner, reason and expiry."""

from __future__ import annotations

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.decisions import Decision, decision_options
from driftguard.errors import InputError


@click.command("waive", help=__doc__)
@click.argument("finding", required=False)
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
    policy: str,
    account: str,
    region: str,
    type_: str,
    resource: str,
    tags: tuple[str, ...],
    decision: Decision,
) -> None:
    from driftguard.wiring import Wiring

    with Wiring(app.settings) as wiring:
        path = "*"
        if finding:
            found = wiring.store.finding(finding)
            if found is None:
                raise InputError(
                    f"there is no finding {finding}.", fix="`driftguard drift` and `compliance` list them."
                )
            key = found.key
            account, region, type_, resource = key.account, key.region, key.type, key.identifier
            compliance = found.kind == "COMPLIANCE"
            policy, path = (found.subject, "*") if compliance else ("*", found.subject)
        elif (policy, account, region, type_, resource) == ("*",) * 5 and not tags:
            raise InputError(
                "that would waive everything.", fix="Name a finding, or narrow it with an option."
            )
        waiver = decision.waiver(
            policy=policy,
            account=account,
            region=region,
            type=type_,
            resource=resource,
            path=path,
            tags=tags,
        )
        wiring.store.put_waiver(waiver, actor=wiring.actor)
    click.echo(f"{waiver.id}: accepted until {waiver.expires_at:%Y-%m-%d}. It counts from the next scan on.")
