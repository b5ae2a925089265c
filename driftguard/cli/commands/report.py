"""The verdict of a run as HTML, Markdown, JSON, CSV, SARIF, JUnit, ASFF, OCSF or PDF."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.filters import moment
from driftguard.cli.output import write_file
from driftguard.cli.vocabulary import framework_of
from driftguard.errors import InputError

if TYPE_CHECKING:
    from driftguard.history.port import Store
    from driftguard.model import Report


@click.command("report", help=__doc__)
@click.option("--format", "formats", default="text", show_default=True, help="One or more, comma-separated.")
@click.option(
    "--run",
    "run_id",
    help="A run's id; default: all that is known, of the newest run over everything and those over parts since.",
)
@click.option("--framework", help="Only the verdicts of one framework.")
@click.option(
    "--since",
    metavar="TIME",
    help="Call new what was first seen since then: 2026-09-30; default: the last run.",
)
@click.option("--lang", "langs", default="en", show_default=True, help="en or ko, or both, comma-separated.")
@click.option("--out", metavar="PATH", help="A file, or a folder for several; default: stdout.")
@click.option("--verbose", is_flag=True, help="In text, list what is still open finding by finding.")
@pass_app
def command(
    app: App,
    formats: str,
    run_id: str | None,
    framework: str | None,
    since: str | None,
    langs: str,
    out: str | None,
    verbose: bool,
) -> None:
    from driftguard.report import render
    from driftguard.report.messages import messages
    from driftguard.report.render import format_module
    from driftguard.report.retold import worded
    from driftguard.wiring import Wiring

    names, languages, after = _listed(formats), _listed(langs), moment(since, start=True)
    modules = {name: format_module(name) for name in names}
    for lang in languages:
        messages(lang)
    several = len(names) * len(languages) > 1
    if several and not out:
        raise InputError("several reports need a folder.", fix="Name it with --out.")
    with Wiring(app.settings, existing=True) as wiring:
        report = _report(wiring.store, run_id)
        if report is None:
            raise InputError(
                f"there is no run {run_id}." if run_id else "there is no run yet.",
                fix="`driftguard history --runs` lists them." if run_id else "`driftguard scan` makes one.",
            )
        if framework:
            framework = _framework(report, framework)
        if set(languages) != {"en"}:
            report = worded(report, wiring.catalogue.words())
        if after is not None:
            report = _since(wiring.store, report, after)
        trends = wiring.trends()
    for name, module in modules.items():
        for lang in languages:
            result = render(
                report, name, lang, framework=framework, trends=trends, verbose=verbose, since=after
            )
            ending = f".{lang}{module.SUFFIX}" if len(languages) > 1 else module.SUFFIX
            _put(result, None if out is None else Path(out) / f"report{ending}" if several else Path(out))


def _report(store: Store, run_id: str | None) -> Report | None:
    from driftguard.history.standing import standing

    if run_id is not None:
        return store.report(run_id)
    known = standing(store)
    return None if known is None else known.report


def _framework(report: Report, typed: str) -> str:
    """The framework's own name.  Raises `InputError` when nothing was judged by it: that is no "all clear"."""
    from driftguard.rules.shipped import all_frameworks

    judged = {name for policy in report.policies.values() for name in policy.frameworks}
    name = framework_of(typed, (*judged, *(one.id for one in all_frameworks().frameworks)))
    if name not in judged:
        raise InputError(
            f"nothing was judged by {name} in this run.",
            fix="Name it in `policies.frameworks`, and scan again.",
        )
    return name


def _listed(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _since(store: Store, report: Report, after: datetime) -> Report:
    """``report`` with what is new, and what was resolved, since ``after`` instead of since the run before."""
    from driftguard.history.port import Query
    from driftguard.history.query import every

    new = {finding.fingerprint for finding in report.findings if finding.first_seen >= after}
    ended = report.run.finished_at or report.run.started_at
    resolved = {finding.fingerprint: finding for finding in report.resolved}
    for finding in every(store.findings, Query(statuses=("RESOLVED",), limit=1000)):
        if finding.resolved_at is not None and after <= finding.resolved_at <= ended:
            resolved.setdefault(finding.fingerprint, finding)
    return replace(report, new=frozenset(new), resolved=tuple(resolved.values()))


def _put(result: bytes | str, target: Path | None) -> None:
    data = result if isinstance(result, bytes) else result.encode()
    if target is None:
        sys.stdout.buffer.write(data if data.endswith(b"\n") else data + b"\n")
        return
    write_file(target, data)
    click.echo(f"Wrote {target}.", err=True)
