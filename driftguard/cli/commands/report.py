"""The verdict of a run as HTML, Markdown, JSON, CSV, SARIF, JUnit, ASFF, OCSF or PDF."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from driftguard.cli.app import App, pass_app
from driftguard.errors import InputError


@click.command("report", help=__doc__)
@click.option("--format", "formats", default="text", show_default=True, help="One or more, comma-separated.")
@click.option("--run", "run_id", help="A run's id; default: the newest.")
@click.option("--framework", help="Only the verdicts of one framework.")
@click.option("--lang", type=click.Choice(["en", "ko"]), default="en", show_default=True)
@click.option("--out", metavar="PATH", help="A file, or with several formats a folder; default: stdout.")
@click.option("--verbose", is_flag=True, help="In text, list what is still open finding by finding.")
@pass_app
def command(
    app: App,
    formats: str,
    run_id: str | None,
    framework: str | None,
    lang: str,
    out: str | None,
    verbose: bool,
) -> None:
    from driftguard.report import render
    from driftguard.report.render import format_module
    from driftguard.wiring import Wiring

    names = [name.strip() for name in formats.split(",") if name.strip()]
    for name in names:
        format_module(name)
    if len(names) > 1 and not out:
        raise InputError("several formats need a folder.", fix="Name it with --out.")
    with Wiring(app.settings) as wiring:
        report = wiring.store.report(run_id)
        trends = wiring.trends()
    if report is None:
        raise InputError(
            "there is no such run." if run_id else "there is no run yet.", fix="`driftguard scan`."
        )
    for name in names:
        result = render(report, name, lang, framework=framework, trends=trends, verbose=verbose)
        data = result if isinstance(result, bytes) else result.encode()
        if out is None:
            sys.stdout.buffer.write(data if data.endswith(b"\n") else data + b"\n")
            continue
        target = Path(out) / f"report{format_module(name).SUFFIX}" if len(names) > 1 else Path(out)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        click.echo(f"Wrote {target}.", err=True)
