"""Look at everything once: snapshot, compare, judge, record, report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.levels import Level
from driftguard.cli.output import output_option, print_json

if TYPE_CHECKING:
    from driftguard.model import Report
    from driftguard.settings import Settings

EXIT_FINDINGS, EXIT_PARTIAL, EXIT_INTERRUPTED = 1, 3, 130


@click.command("scan", help=__doc__)
@click.option("--stack", "stacks", multiple=True, help="Only this stack; wildcards allowed, repeatable.")
@click.option("--account", "accounts", multiple=True, help="Only this account; repeatable.")
@click.option("--region", "regions", multiple=True, help="Only this region; repeatable.")
@click.option(
    "--type", "types", multiple=True, help="Only this resource type; wildcards allowed, repeatable."
)
@click.option("--declared", metavar="DIR", help="The repository's templates: three-way drift.")
@click.option(
    "--offline",
    metavar="SNAPSHOT",
    multiple=True,
    help="Look at files that AWS Config delivered (or folders of them) instead of AWS; repeatable.",
)
@click.option("--fail-on", type=Level("none"), help="The least severity that makes the exit code 1.")
@click.option("--strict/--no-strict", default=None, help="Exit with 3 when anything could not be read.")
@click.option("--html", "html_file", metavar="FILE", help="Also write the HTML report to FILE.")
@output_option()
@pass_app
def command(
    app: App,
    stacks: tuple[str, ...],
    accounts: tuple[str, ...],
    regions: tuple[str, ...],
    types: tuple[str, ...],
    declared: str | None,
    offline: tuple[str, ...],
    fail_on: str | None,
    strict: bool | None,
    html_file: str | None,
    output: str,
) -> int:
    from driftguard.cli.interrupt import stoppable
    from driftguard.cli.output import refuse_unwritable
    from driftguard.cli.progress import shown
    from driftguard.cli.scope import Narrowing, refuse_unknown
    from driftguard.scan import scan
    from driftguard.wiring import Wiring

    settings = narrowed(app.settings, stacks, regions, types, declared)
    if html_file:
        refuse_unwritable(html_file)
    typed = Narrowing(accounts=accounts, regions=regions, stacks=stacks, offline=offline)
    with Wiring(settings) as wiring:
        refuse_unknown(wiring, typed)
        with stoppable() as stopped, shown() as progress:
            job = wiring.job(trigger="cli", accounts=accounts, regions=regions, offline=offline)
            report = scan(job, progress, stopped.is_set)
        wiring.deliver()
        if html_file:
            write_html(report, html_file)
        show(report, output)
        if stopped.is_set():
            return EXIT_INTERRUPTED
    return exit_code(
        report, fail_on or settings.scan.fail_on, settings.scan.strict if strict is None else strict
    )


def narrowed(
    settings: Settings,
    stacks: tuple[str, ...],
    regions: tuple[str, ...],
    types: tuple[str, ...],
    declared: str | None,
) -> Settings:
    """The settings with the command line's narrowing put over them."""
    scope = settings.scope
    if stacks:
        scope = scope.model_copy(update={"stacks": stacks})
    if types:
        scope = scope.model_copy(update={"types": types})
    if regions and not scope.regions and not scope.accounts:
        scope = scope.model_copy(update={"regions": regions})
    scanning = settings.scan.model_copy(update={"declared": declared}) if declared else settings.scan
    return settings.model_copy(update={"scope": scope, "scan": scanning})


def show(report: Report, output: str) -> None:
    """Print a report in the asked form."""
    import shutil
    import sys

    from driftguard.report import render

    if output == "json":
        from driftguard.report.document import scan_document

        print_json(scan_document(report))
        return
    colour = sys.stdout.isatty()
    width = shutil.get_terminal_size((100, 24)).columns
    click.echo(render(report, "text", width=width, color=colour), color=colour)


def write_html(report: Report, file: str) -> None:
    """Write the stand-alone HTML report."""
    from driftguard.cli.output import write_file
    from driftguard.report import render

    page = render(report, "html")
    write_file(file, page.encode() if isinstance(page, str) else page)


def exit_code(report: Report, fail_on: str, strict: bool) -> int:
    """0, 1 or 3 as the contract says: findings at or above ``fail_on``, then gaps under ``strict``."""
    from driftguard.model import Outcome, Severity

    if fail_on.lower() != "none":
        worst = Severity(fail_on.upper()).rank
        if any(finding.open and finding.severity.rank <= worst for finding in report.findings):
            return EXIT_FINDINGS
    if strict and report.outcome is Outcome.PARTIAL:
        return EXIT_PARTIAL
    return 0
