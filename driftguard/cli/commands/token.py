"""Make, list and revoke API tokens, and make one-time sign-in links."""

from __future__ import annotations

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.output import output_option, print_json

_SCOPES = ("read", "scan", "decide", "plan", "approve", "audit", "admin")
_ROLES = ("viewer", "operator", "approver", "admin")


@click.group("token", help=__doc__)
def command() -> None:
    pass


@command.command("create", help="Make a token and print it.  It cannot be read again.")
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(_SCOPES), default=("read",), show_default=True
)
@click.option("--account", "accounts", multiple=True, help="Only this account; repeatable.")
@click.option("--days", type=click.IntRange(1, 366), default=90, show_default=True, help="How long it lives.")
@pass_app
def create(app: App, name: str, scopes: tuple[str, ...], accounts: tuple[str, ...], days: int) -> int:
    from driftguard.service.access.tokens import create_token
    from driftguard.wiring import Wiring

    with Wiring(app.settings) as wiring:
        text = create_token(
            wiring.store, name=name, scopes=scopes, accounts=accounts, days=days, actor=wiring.actor
        )
    click.echo(text)
    return 0


@command.command("list", help="The tokens that are not over; never the tokens themselves.")
@output_option()
@pass_app
def list_(app: App, output: str) -> int:
    from driftguard.service.access.tokens import list_tokens
    from driftguard.wiring import Wiring

    with Wiring(app.settings) as wiring:
        found = list_tokens(wiring.store)
    if output == "json":
        fields = ("id", "name", "scopes", "accounts", "created_by", "created_at", "expires_at")
        print_json([{field: getattr(one, field) for field in fields} for one in found])
        return 0
    for one in found:
        end = f"{one.expires_at:%Y-%m-%d}" if one.expires_at else "never"
        click.echo(
            f"{one.id}  until {end}  {','.join(one.scopes)}  {','.join(one.accounts) or 'all accounts'}  {one.name}"
        )
    if not found:
        click.echo("There is no token. `driftguard token create NAME` makes one.")
    return 0


@command.command("revoke", help="Make a token worthless at once.")
@click.argument("token_id")
@pass_app
def revoke(app: App, token_id: str) -> int:
    from driftguard.service.access.tokens import revoke_token
    from driftguard.wiring import Wiring

    with Wiring(app.settings) as wiring:
        revoke_token(wiring.store, token_id, actor=wiring.actor)
    click.echo(f"{token_id} is revoked.")
    return 0


@command.command("link", help="Print a one-time address with which a person signs in once.")
@click.option("--user", required=True, help="The name under which this person acts.")
@click.option("--role", type=click.Choice(_ROLES), default="viewer", show_default=True)
@click.option("--account", "accounts", multiple=True, help="Only this account; repeatable.")
@pass_app
def link(app: App, user: str, role: str, accounts: tuple[str, ...]) -> int:
    from driftguard.service.access.tokens import LINK_MINUTES, create_link
    from driftguard.service.serve import address
    from driftguard.wiring import Wiring

    with Wiring(app.settings) as wiring:
        code = create_link(wiring.store, user=user, role=role, accounts=accounts, actor=wiring.actor)
    click.echo(f"{address(app.settings.web)}/sign-in?code={code}")
    click.echo(f"It works once, within {LINK_MINUTES} minutes.", err=True)
    return 0
