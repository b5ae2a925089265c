"""Check credentials, recorder, permissions and store; each fault with its fix."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from typing import TYPE_CHECKING

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.output import output_option, print_json

if TYPE_CHECKING:
    from driftguard.doctor import Check

_COLOURS = {"OK": "green", "WARNING": "yellow", "FAULT": "red"}
_POLICY = "Add them to the role; `driftguard iam-policy` prints the whole policy."


@click.command("doctor", help=__doc__)
@output_option()
@pass_app
def command(app: App, output: str) -> int:
    from driftguard.doctor import Health, configured, examine
    from driftguard.wiring import Wiring

    checks = []
    with Wiring(app.settings) as wiring:
        asked = chain(
            configured(wiring.settings, lambda: wiring.catalogue), examine(wiring.aws, lambda: wiring.store)
        )
        for _, found in groupby(asked, key=lambda check: check.place):
            together = list(found)
            checks += together
            if output == "text":
                for line in _lines(together):
                    click.echo(line)
    faults = sum(check.health is Health.FAULT for check in checks)
    if output == "json":
        print_json({"checks": [dataclasses.asdict(check) for check in checks], "faults": faults})
    elif faults:
        click.echo(f"\n{faults} fault{'s' if faults > 1 else ''} to fix before a scan sees everything.")
    else:
        click.echo("\nEverything a scan needs is there.")
    return 2 if faults else 0


def _lines(checks: Sequence[Check]) -> Iterator[str]:
    """What concerns all, check by check; of a place what is wrong, or one line that all is well.

    Actions that are missing in one place are one line, since one policy grants them all.
    """
    if not checks[0].place:
        yield from map(_line, checks)
        return
    denied = [check for check in checks if check.action]
    wrong = [check for check in checks if check.health != "OK" and check not in denied]
    if denied:
        actions = ", ".join(sorted({check.action for check in denied}))
        detail = f"not allowed: {actions}."
        yield _line(dataclasses.replace(denied[0], name="permissions", detail=detail, fix=_POLICY))
    yield from map(_line, wrong)
    if not denied and not wrong:
        names = ", ".join(dict.fromkeys(check.name for check in checks))
        yield _line(dataclasses.replace(checks[0], name="", detail=names))


def _line(check: Check) -> str:
    mark = click.style(f"{check.health:<8}", fg=_COLOURS[check.health])
    where = check.place or "everywhere"
    name = f"{check.name}: " if check.name else ""
    return f"{mark} {where:<28} {name}{check.detail} {check.fix}".rstrip()
