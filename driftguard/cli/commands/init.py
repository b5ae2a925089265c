"""Write a configuration file by asking."""

from __future__ import annotations

import re
from pathlib import Path

import click

from driftguard.cli.app import App, pass_app
from driftguard.errors import ConfigError, InputError

_REGION = re.compile(r"^[a-z]{2}(-[a-z]+)+-\d$")
_ACCOUNT = re.compile(r"^\d{12}$")


@click.command("init", help=__doc__)
@click.option("--regions", help="Regions, comma-separated; asked for when missing.")
@click.option("--accounts", help="Account ids, comma-separated; empty: the credentials' own.")
@click.option("--role-name", help="The read role in every account.")
@click.option("--external-id", help="The external id of that role.")
@click.option("--store", "store_url", help="sqlite:///PATH or postgresql://USER@HOST/NAME.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("--yes", "-y", is_flag=True, help="Take the defaults for what is not given.")
@pass_app
def command(
    app: App,
    regions: str | None,
    accounts: str | None,
    role_name: str | None,
    external_id: str | None,
    store_url: str | None,
    force: bool,
    yes: bool,
) -> None:
    path = Path(app.config_file or "config.yaml")
    if path.exists() and not force:
        raise ConfigError(f"{path} is there already.", fix="Use --force to replace it.")

    def ask(given: str | None, question: str, default: str) -> str:
        if given is not None or yes:
            return given if given is not None else default
        return str(click.prompt(question, default=default, show_default=bool(default), err=True))

    region_list = _split(ask(regions, "Regions (comma-separated)", _region()), _REGION, "region")
    account_list = _split(ask(accounts, "Account ids (empty: our own)", ""), _ACCOUNT, "account id")
    role = ask(role_name, "Read role in the other accounts", "driftguard-read") if account_list else ""
    external = ask(external_id, "Its external id (empty: none)", "") if account_list else ""
    store = ask(store_url, "Store", "sqlite:///driftguard.db")
    path.write_text(_text(region_list, account_list, role, external, store), encoding="utf-8")
    click.echo(f"Wrote {path}. Next: `driftguard doctor`, then `driftguard scan`.", err=True)


def _region() -> str:
    """The region that the session would use, so that the answer fits where the person works."""
    from driftguard.aws import Aws
    from driftguard.errors import DriftguardError
    from driftguard.settings import Settings

    settings = Settings()
    try:
        return Aws(settings.aws, settings.scope).home_region
    except DriftguardError:
        return "us-east-1"


def _split(text: str, form: re.Pattern[str], what: str) -> list[str]:
    values = [part.strip() for part in text.split(",") if part.strip()]
    for value in values:
        if not form.match(value):
            raise InputError(f"{value!r} is not a {what}.", fix="Separate several with commas.")
    return values


def _text(regions: list[str], accounts: list[str], role: str, external_id: str, store: str) -> str:
    lines = ["# Settings of driftguard. config.example.yaml lists every one with its default.", "scope:"]
    lines.append(f"  regions: [{', '.join(regions)}]")
    if accounts:
        lines.append("  accounts:")
        lines += [f'    - id: "{account}"' for account in accounts]
    if role or external_id:
        lines.append("aws:")
        lines += [f'  role_name: "{role}"'] if role else []
        lines += [f'  external_id: "{external_id}"'] if external_id else []
    lines += ["store:", f'  url: "{store}"']
    return "\n".join(lines) + "\n"
