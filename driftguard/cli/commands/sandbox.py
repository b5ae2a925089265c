"""Serve a local AWS to try everything against; no account needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftguard.errors import InputError

if TYPE_CHECKING:
    from driftguard.sandbox import Sandbox


@click.command("sandbox", help=__doc__)
@click.option(
    "--port", default=4599, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--account",
    "accounts",
    multiple=True,
    metavar="ID",
    help="An account; repeat for more. The first manages.",
)
@click.option(
    "--region", default="ap-northeast-2", show_default=True, help="Region for the printed variables."
)
@click.option("--empty", is_flag=True, help="Start without the demo estate.")
def command(port: int, host: str, accounts: tuple[str, ...], region: str, empty: bool) -> int:
    """Serve until Ctrl-C; the printed variables point any AWS client at it."""
    from driftguard.sandbox import facade

    for account in accounts:
        if not (len(account) == 12 and account.isdigit()):
            raise InputError(f"{account!r} is no account id.", fix="Give twelve digits.")
    with facade.Sandbox(accounts=accounts or facade.DEFAULT_ACCOUNTS) as sandbox:
        listen(sandbox, port, host)
        if not empty:
            from driftguard.sandbox.estate import deploy

            click.echo("Deploying the demo estate...", err=True)
            deploy(sandbox)
        click.echo("# A local AWS is listening. In another shell:")
        wait(sandbox, region)
    return 0


def listen(sandbox: Sandbox, port: int, host: str = "127.0.0.1") -> None:
    """Serve it over HTTP.  Raises `InputError` when the address is taken or not ours."""
    try:
        sandbox.serve(port, host=host)
    except OSError as error:
        raise InputError(
            f"Cannot listen on {host}:{port}: {error.strerror or error}.",
            fix="Choose another port with --port, or 0 for a free one.",
        ) from error


def wait(sandbox: Sandbox, region: str = "ap-northeast-2") -> None:
    """Print the variables that point any AWS client at it, and wait for Ctrl-C."""
    for name, value in sandbox.environment(region=region).items():
        click.echo(f"export {name}={value}")
    click.echo(
        f"# Accounts: {', '.join(sandbox.accounts)}; an account's number is its administrator's access key."
    )
    click.echo("# Faults, clock and trail: $AWS_ENDPOINT_URL/_sandbox/help. Ctrl-C stops it.")
    try:
        sandbox.wait()
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
