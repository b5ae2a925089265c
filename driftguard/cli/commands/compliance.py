"""Verdicts of the policies now, or a framework's score, out of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.filters import list_options, page_query
from driftguard.cli.output import output_option, print_json
from driftguard.cli.tables import more, table

if TYPE_CHECKING:
    from driftguard.history.port import Query
    from driftguard.wiring import Wiring


@click.command("compliance", help=__doc__)
@click.option("--policy", "subjects", multiple=True, help="Policy id; wildcards allowed, repeatable.")
@click.option("--framework", help="The controls of a framework and its score instead of single verdicts.")
@click.option("--all", "everything", is_flag=True, help="Compliant verdicts too.")
@list_options
@output_option()
@pass_app
def command(
    app: App, query: Query, subjects: tuple[str, ...], framework: str | None, everything: bool, output: str
) -> int:
    from driftguard.wiring import Wiring

    with Wiring(app.settings) as wiring:
        if framework:
            return _framework(wiring, framework, output)
        statuses = query.statuses or (() if everything else ("NON_COMPLIANT", "INSUFFICIENT_DATA"))
        page = wiring.store.evaluations(page_query(query, subjects=subjects, statuses=statuses))
    if output == "json":
        from driftguard.report.document import evaluation_document

        print_json({"evaluations": [evaluation_document(e) for e in page.items], "cursor": page.cursor})
    else:
        table(
            ("VERDICT", "SEVERITY", "POLICY", "RESOURCE", "TYPE", "ACCOUNT", "REGION", "WHY"),
            (
                (
                    e.compliance,
                    e.severity,
                    e.policy,
                    e.logical_id or e.key.identifier,
                    e.key.type,
                    e.key.account,
                    e.key.region,
                    e.message,
                )
                for e in page.items
            ),
            "Everything that was judged is compliant, or nothing was judged yet (`driftguard scan`).",
        )
        more(page.cursor, page.total)
    return 1 if any(e.compliance == "NON_COMPLIANT" for e in page.items) else 0


def _framework(wiring: Wiring, name: str, output: str) -> int:
    """The score of one framework, and how it was counted."""
    import dataclasses

    from driftguard.errors import InputError
    from driftguard.rules.frameworks import score
    from driftguard.rules.shipped import all_frameworks

    framework = all_frameworks().get(name)
    if framework is None:
        known = ", ".join(sorted(one.id for one in all_frameworks().frameworks))
        raise InputError(f"there is no framework {name}.", fix=f"Known: {known}.")
    report = wiring.store.report()
    result = score(framework, report.evaluations if report else (), now=wiring.clock())
    if output == "json":
        print_json(dataclasses.asdict(result) | {"method": result.method})
        return 0
    table(
        ("CONTROL", "STATUS", "COMPLIANT", "JUDGED"),
        ((c.control.id, c.status, c.compliant, c.judged) for c in result.controls),
        f"{framework.id} has no controls.",
    )
    click.echo(f"\n{framework.title}: {result.method}")
    return 0
