"""Attest a control that no machine can judge: who says so, on what evidence, until when."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.decisions import expiry, refuse_short
from driftguard.cli.output import output_option, print_json
from driftguard.cli.vocabulary import known_framework, nearest
from driftguard.errors import InputError


@click.command("attest", help=__doc__)
@click.argument("framework")
@click.argument("control")
@click.option("--statement", required=True, help="What is attested, in one sentence.")
@click.option("--evidence", default="", help="Where the proof lies: a ticket, a document, a URL.")
@click.option("--by", "actor", default="", help="Who attests; default: who runs this.")
@click.option("--expires", default="365d", show_default=True, help="Days (365d) or a date (2027-01-31).")
@output_option()
@pass_app
def command(
    app: App,
    framework: str,
    control: str,
    statement: str,
    evidence: str,
    actor: str,
    expires: str,
    output: str,
) -> None:
    from driftguard.history.port import Attestation
    from driftguard.report.document import moment
    from driftguard.wiring import Wiring

    refuse_short("statement", statement, "what is attested")
    now = datetime.now(UTC)
    name, control = _control(framework, control)
    with Wiring(app.settings) as wiring:
        made = Attestation(
            id=f"a-{secrets.token_hex(4)}",
            framework=name,
            control=control,
            actor=actor or wiring.actor,
            at=now,
            statement=statement.strip(),
            reference=evidence,
            expires_at=expiry(expires, now),
        )
        wiring.store.put_attestation(made)
    if output == "json":
        print_json(
            {
                "id": made.id,
                "framework": made.framework,
                "control": made.control,
                "by": made.actor,
                "at": moment(made.at),
                "expires_at": moment(made.expires_at),
                "statement": made.statement,
                "evidence": made.reference,
            }
        )
        return
    click.echo(f"{made.id}: {made.framework} {made.control} attested until {made.expires_at:%Y-%m-%d}.")


def _control(framework: str, control: str) -> tuple[str, str]:
    """The framework's own name and the control's, or an `InputError` that says which there are."""
    found = known_framework(framework)
    named = {one.id: one for one in found.controls}
    lists = f"`driftguard compliance --framework {found.id} --all` lists them."
    if control not in named:
        near = nearest(control, named)
        raise InputError(
            f"{found.id} has no control {control!r}.",
            fix=f"Did you mean `{near}`? {lists}" if near else lists,
        )
    if not named[control].manual:
        raise InputError(
            f"{found.id} {control} is judged by policies, so that nobody's word counts for it.",
            fix=f"Those that people judge have the status MANUAL: {lists}",
        )
    return found.id, control
