"""AWS Config snapshot and history files in, the store's present state out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.output import output_option, print_json, print_json_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftguard.history.port import Version


@click.group("snapshot", help=__doc__)
def command() -> None: ...


@command.command("import")
@click.argument("files", nargs=-1, required=True)
@output_option()
@pass_app
def import_(app: App, files: tuple[str, ...], output: str) -> int:
    """Read delivered files (JSON or gz, folders too); importing twice changes nothing."""
    from driftguard.errors import DriftguardError
    from driftguard.live import Rejected, distinct, files_in, read_file
    from driftguard.model import Source
    from driftguard.scan.backfill import version_of
    from driftguard.wiring import Wiring

    counts = dict.fromkeys(("items", "added", "changed", "removed", "unchanged", "rejected"), 0)
    errors: list[dict[str, Any]] = []
    number = 0
    with Wiring(app.settings) as wiring:
        for path in files_in(files):
            number += 1

            def states(path: Any = path) -> Iterator[Version]:
                for item in distinct(read_file(path)):
                    if isinstance(item, Rejected):
                        counts["rejected"] += 1
                        errors.append({"file": str(path), "error": str(item)})
                    else:
                        yield version_of(item, Source.CONFIG_FILE)

            try:
                result = wiring.store.import_states(states())
            except DriftguardError as error:
                errors.append({"file": str(path), "error": str(error)})
                continue
            for name in ("items", "added", "changed", "removed", "unchanged"):
                counts[name] += getattr(result, name)
    if output == "json":
        print_json({"files": number, "counts": counts, "errors": errors})
    else:
        click.echo(f"{number} files: " + ", ".join(f"{value} {name}" for name, value in counts.items()))
        for one in errors[:20]:
            click.echo(f"{one['file']}: {one['error']}", err=True)
    return 2 if errors and not counts["items"] else 0


@command.command("export")
@pass_app
def export_(app: App) -> None:
    """Write every present resource as one line of JSON."""
    from driftguard.history.port import Query
    from driftguard.wiring import Wiring

    with Wiring(app.settings, existing=True) as wiring:
        cursor = None
        while True:
            page = wiring.store.resources(Query(limit=1000, cursor=cursor))
            for one in page.items:
                print_json_line(
                    {
                        "resourceType": one.key.type,
                        "identifier": one.key.identifier,
                        "accountId": one.key.account,
                        "awsRegion": one.key.region,
                        "arn": one.arn,
                        "tags": dict(one.tags),
                        "properties": one.properties,
                    }
                )
            cursor = page.cursor
            if cursor is None:
                return
