"""Accept a finding, or all of a root cause, for a while: owner, reason and expiry."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.decisions import Decision, decision_options
from driftguard.errors import InputError

if TYPE_CHECKING:
    from driftguard.history.port import Store
    from driftguard.model import Finding, Waiver
    from driftguard.wiring import Wiring

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
        _refuse_unknown(wiring, policy, type_)
        _refuse_malformed(tags)
        for selectors in _selected(wiring.store, finding or "", cause, by_hand):
            waiver = decision.waiver(**selectors)
            wiring.store.put_waiver(waiver, actor=wiring.actor)
            until = f"{waiver.expires_at:%Y-%m-%d}"
            click.echo(f"{waiver.id}: accepted until {until}. It counts from the next scan on.")


def _refuse_unknown(wiring: Wiring, policy: str, type_: str) -> None:
    """Raises `InputError` for a policy or type that there is not: a waiver of it would accept nothing."""
    from driftguard.cli.vocabulary import Names
    from driftguard.history.port import Query

    typed = {"subjects": policy, "types": type_}
    Names(wiring).checked(Query(**{name: (value,) for name, value in typed.items() if value != "*"}))  # type: ignore[arg-type]  # two fields of texts


def _refuse_malformed(tags: tuple[str, ...]) -> None:
    for tag in tags:
        if not tag.partition("=")[0] or "=" not in tag:
            raise InputError(f"{tag!r} is no tag.", fix="Write it as KEY=VALUE.")


def _selected(store: Store, finding: str, cause: str, by_hand: Selectors) -> list[Selectors]:
    """What each waiver selects: one finding, each of a cause, or what the options say."""
    from driftguard.cli.chosen import findings_of_cause, one_finding
    from driftguard.history.waivers import selectors

    narrowed = any(value not in ("*", ()) for value in by_hand.values())
    if (bool(finding), bool(cause), narrowed).count(True) > 1:
        raise InputError(
            "that names more than one thing.", fix="Name a finding, or a cause, or narrow it by options."
        )
    if cause:
        members = findings_of_cause(store, cause)
        fresh = [one for one in members if _waiver_of(store, one) is None]
        if not fresh:
            _refuse_twice(store, members[0])
        return [selectors(one) for one in fresh]
    if finding:
        found = one_finding(store, finding)
        _refuse_twice(store, found)
        return [selectors(found)]
    if not narrowed:
        raise InputError(
            "that would waive everything.", fix="Name a finding or a cause, or narrow it with an option."
        )
    return [by_hand]


def _waiver_of(store: Store, finding: Finding) -> Waiver | None:
    from driftguard.history.waivers import waiver_of

    return waiver_of(store.waivers(), finding, datetime.now(UTC), {})


def _refuse_twice(store: Store, finding: Finding) -> None:
    """Raises `InputError` when a waiver of the store holds for the finding already: two say no more than one."""
    found = _waiver_of(store, finding)
    if found is not None:
        raise InputError(
            f"{finding.fingerprint[:12]} is accepted already, until {found.expires_at:%Y-%m-%d}, by the waiver {found.id}.",
            fix=f"`driftguard waivers --remove {found.id}` ends that one.",
        )
