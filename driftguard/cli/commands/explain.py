"""Why a resource is in drift or in sync: each property, and the rule that decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.decisions import one_resource
from driftguard.cli.output import output_option, print_json
from driftguard.cli.tables import table
from driftguard.model import DriftStatus

if TYPE_CHECKING:
    from driftguard.compare import Explanation
    from driftguard.history.port import Store
    from driftguard.model import Drift, Json, ResourceKey
    from driftguard.scan.explained import Explained

_COLOURS = {"DIFFERENT": "red", "UNDECLARED": "yellow", "NOT_CHECKED": "yellow"}


@click.command("explain", help=__doc__)
@click.argument("resource")
@click.option("--all", "everything", is_flag=True, help="Also the properties that are simply the same.")
@output_option()
@pass_app
def command(app: App, resource: str, everything: bool, output: str) -> int:
    """The resource and its stack are read again, now; nothing is recorded.

    The exit code is 2 when they could not be read.
    """
    from driftguard.wiring import Wiring

    with Wiring(app.settings, existing=True) as wiring:
        key = one_resource(wiring.store, resource)
        explained = wiring.explain(_last(wiring.store, key))
    rows = [row for row in explained.rows if everything or row.rule != "same value"]
    if output == "json":
        print_json(document(explained, rows))
    else:
        _print(explained, rows, len(explained.rows) - len(rows))
    return 2 if explained.unread else 0


def _last(store: Store, key: ResourceKey) -> Drift:
    """What the last scan said of it.  Raises `InputError` when no scan compared it."""
    from driftguard.errors import InputError
    from driftguard.history.port import Query

    page = store.drifts(Query(accounts=(key.account,), types=(key.type,), identifiers=(key.identifier,)))
    found = next((drift for drift in page.items if drift.key == key), None)
    if found is None:
        raise InputError(
            f"no scan compared {key} with a declaration.",
            fix="`driftguard scan` does, if a stack declares it.",
        )
    return found


def document(explained: Explained, rows: list[Explanation]) -> dict[str, Any]:
    """The JSON form: who it is, the verdict then and now, and one entry for each decision."""
    from driftguard.report.document import location_document, plain

    drift = explained.now or explained.before
    return {
        "account": drift.key.account,
        "region": drift.key.region,
        "stack": drift.stack or None,
        "logical_id": drift.logical_id or None,
        "physical_id": drift.physical_id or drift.key.identifier,
        "resource_type": drift.key.type,
        "identifier": drift.key.identifier,
        "location": location_document(drift.location),
        "status": _status(explained),
        "status_at_last_scan": explained.before.status.value,
        "message": explained.message or None,
        "properties": [
            {
                "path": row.path,
                "verdict": row.verdict,
                "rule": row.rule or None,
                "expected": plain(row.expected),
                "actual": plain(row.actual),
                "detail": list(row.detail),
            }
            for row in rows
        ],
    }


def _status(explained: Explained) -> str:
    """The verdict of this moment; that of the last scan stands where it would only be repeated."""
    if explained.unread:
        return DriftStatus.NOT_CHECKED.value
    return (explained.now or explained.before).status.value


def _print(explained: Explained, rows: list[Explanation], same: int) -> None:
    drift, before = explained.now or explained.before, explained.before
    undeclared = drift.drifted and drift.status is DriftStatus.IN_SYNC and not explained.unread
    status = "IN_SYNC with an undeclared change" if undeclared else _status(explained)
    click.secho(f"{drift.logical_id or drift.physical_id or drift.key.identifier}  {status}", bold=True)
    click.echo(f"{drift.key}" + (f"  stack {drift.stack}" if drift.stack else ""))
    if drift.location:
        click.echo(f"declared in {drift.location.file}:{drift.location.line}")
    if explained.message:
        click.echo(explained.message)
    if explained.unread:
        click.secho(f"The last scan said {before.status}.", fg="yellow")
    elif explained.now is not None and explained.now.status != before.status:
        click.secho(
            f"The last scan said {before.status}: it changed since, or another stack has a say in it.",
            fg="yellow",
        )
    if explained.now is None or (explained.message and not rows):
        return
    click.echo()
    table(
        ("PROPERTY", "VERDICT", "EXPECTED", "THERE", "DECIDED BY"),
        ((row.path or "/", row.verdict, _shown(row.expected), _shown(row.actual), row.rule) for row in rows),
        "Every declared property is simply the same.",
    )
    for row in rows:
        for line in row.detail:
            click.secho(f"  {row.path}: {line}", fg=_COLOURS.get(row.verdict))
    if same:
        click.echo(f"{same} more are the same (--all shows them).")


def _shown(value: Json, limit: int = 60) -> str:
    from driftguard.report.view import shown

    return "" if value is None else " ".join(shown(value, limit).split())
