"""Verdicts of the policies now, or a framework's score, out of the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.filters import anywhere, list_options, page_query
from driftguard.cli.output import output_option, print_json
from driftguard.cli.tables import more, table

if TYPE_CHECKING:
    from driftguard.history.port import Query
    from driftguard.model import Json
    from driftguard.rules.frameworks import Framework
    from driftguard.rules.scores import ControlRow, Tally
    from driftguard.wiring import Wiring


@click.command("compliance", help=__doc__)
@click.option("--framework", help="The controls of a framework and its score instead of single verdicts.")
@click.option(
    "--all", "everything", is_flag=True, help="Compliant verdicts too; of a framework, every control."
)
@list_options("compliance", severities=True, policies=True, verdict=True)
@output_option()
@pass_app
def command(app: App, query: Query, framework: str | None, everything: bool, output: str) -> int:
    from driftguard.wiring import Wiring

    with Wiring(app.settings) as wiring:
        if framework:
            _refuse_what_does_not_apply()
            return _framework(wiring, query, framework, everything, output)
        statuses = query.statuses or (() if everything else ("NON_COMPLIANT", "INSUFFICIENT_DATA"))
        query = page_query(query, statuses=statuses)
        page = wiring.store.evaluations(query)
        failing = anywhere(wiring.store.evaluations, query, "NON_COMPLIANT")
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
            "Everything that was judged is compliant.",
        )
        more(page.cursor, page.total)
    return 1 if failing else 0


def _refuse_what_does_not_apply() -> None:
    """Rather an error than a score of more than was asked for."""
    from click.core import ParameterSource

    from driftguard.errors import InputError

    context = click.get_current_context()
    names = {"subjects", "stacks", "severities", "statuses", "text", "limit", "cursor"}
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name in names
        and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise InputError(
            f"{', '.join(given)} does not narrow the controls of a framework.",
            fix="Narrow them by --account, --region, --type and --at, or leave --framework out.",
        )


def _framework(wiring: Wiring, query: Query, name: str, everything: bool, output: str) -> int:
    """The controls of one framework, what fails first, and how the score was counted."""
    from driftguard.cli.vocabulary import known_framework
    from driftguard.errors import InputError
    from driftguard.history.standing import standing_runs
    from driftguard.rules.scores import ControlStatus, control_rows, method, tallies, whole

    framework = known_framework(name)
    if query.at is not None and not standing_runs(wiring.store.runs, query.at):
        raise InputError(f"no run had ended by {query.at:%Y-%m-%d %H:%M} UTC.", fix="Name a later date.")
    by_policy = tallies(wiring.store.evaluation_counts(query), wiring.catalogue)
    now = query.at or wiring.clock()
    attestations = wiring.store.attestations(framework.id)
    attested = {one.control for one in attestations if one.at <= now and one.holds(now)}
    rows, pairs = control_rows(framework, by_policy, attested), whole(framework, by_policy)
    failing = sum(row.status is ControlStatus.NON_COMPLIANT for row in rows)
    if output == "json":
        print_json(_score(framework, rows, pairs))
        return 1 if failing else 0
    telling = (ControlStatus.NON_COMPLIANT, ControlStatus.INSUFFICIENT_DATA, ControlStatus.COMPLIANT)
    shown = [row for row in rows if everything or row.status in telling]
    order = list(ControlStatus)
    table(
        ("CONTROL", "STATUS", "COMPLIANT", "TITLE"),
        (
            (row.control.id, row.status, f"{row.tally.compliant} of {row.tally.judged}", row.control.title)
            for row in sorted(shown, key=lambda row: order.index(row.status))
        ),
        "No control has a verdict that asks for somebody.",
    )
    rest = len(rows) - len(shown)
    click.echo(f"\n{framework.title}: {'no score' if pairs.percent is None else f'{pairs.percent} %'}")
    click.echo(f"{method(rows, pairs)}." + (f" {rest} more controls: --all." if rest else ""))
    return 1 if failing else 0


def _score(framework: Framework, rows: Sequence[ControlRow], pairs: Tally) -> Json:
    from driftguard.rules.scores import method

    return {
        "framework": framework.id,
        "title": framework.title,
        "percent": pairs.percent,
        "compliant_pairs": pairs.compliant,
        "judged_pairs": pairs.judged,
        "untold_pairs": pairs.untold,
        "counts": Counter(row.status.value for row in rows),
        "method": method(rows, pairs),
        "controls": [
            {
                "id": row.control.id,
                "title": row.control.title,
                "title_ko": row.control.title_ko,
                "status": row.status.value,
                "compliant": row.tally.compliant,
                "judged": row.tally.judged,
                "untold": row.tally.untold,
                "policies": row.control.policies,
            }
            for row in rows
        ],
    }
