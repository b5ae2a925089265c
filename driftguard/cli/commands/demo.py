"""Watch the whole nightly job on a living AWS estate; no account needed."""

from __future__ import annotations

import logging
import shutil
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from driftguard.model import Finding, Report
    from driftguard.model.remediation import Plan
    from driftguard.sandbox import Sandbox
    from driftguard.wiring import Wiring


@click.command("demo", help=__doc__)
@click.option(
    "--folder", default="demo", show_default=True, help="Where the store and the report are written."
)
@click.option(
    "--stay",
    is_flag=True,
    help="Keep the local AWS listening, so that every other command works on the estate; Ctrl-C ends it.",
)
@click.option(
    "--port",
    default=4599,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Where it listens with --stay; 0 takes a free one.",
)
@click.option(
    "--apply",
    "apply_it",
    is_flag=True,
    help="Play the morning, too: people answer, the plan is applied, its patches deployed, and a scan looks again.",
)
def command(folder: str, stay: bool, port: int, apply_it: bool) -> None:
    from driftguard.cli import morning
    from driftguard.cli.commands.sandbox import listen, wait
    from driftguard.cli.commands.scan import show, write_html
    from driftguard.remediation.seal import write
    from driftguard.sandbox.estate import deploy, play, prepare_remediation
    from driftguard.sandbox.facade import Sandbox

    logging.getLogger("driftguard.sandbox").setLevel(logging.CRITICAL)
    logging.getLogger("samtranslator").setLevel(logging.CRITICAL)
    target = Path(folder)
    _prepare(target)
    steps = _Steps()
    with Sandbox() as sandbox:
        if stay:
            listen(sandbox, port)
        steps.begin("Building an AWS estate: 3 accounts, 2 regions, a CI/CD platform in CloudFormation")
        deploy(sandbox)
        steps.begin("Evening: first scan, so that driftguard knows what is normal")
        with _wiring(sandbox, target) as wiring:
            before = _scan(wiring)
        steps.begin(f"  {_seen(before)}. Now the night passes: people, a release and an autoscaler at work")
        # With --stay the other commands look at the clock of the wall, so the night is over in a second.
        play(sandbox, length=timedelta(seconds=1) if stay else None)
        steps.begin("The nightly scan")
        with _wiring(sandbox, target) as wiring:
            after = _scan(wiring)
            steps.end()
            show(after, "text")
            write_html(after, str(target / "report.html"))
            findings, plan = _plan(wiring, after)
            _show(plan, short=apply_it)
            if apply_it or stay:
                prepare_remediation(sandbox, _stack(wiring))
            if apply_it:
                plan = morning.play(sandbox, wiring, findings, plan, target, _scan)
            write(plan, target / "plan.json")
        _next(target, stay)
        if stay:
            wait(sandbox)


class _Steps:
    """What happens, each with the seconds that it took; on stderr."""

    def __init__(self) -> None:
        self._started = self._since = time.monotonic()

    def begin(self, text: str) -> None:
        now = time.monotonic()
        click.echo(f"[{now - self._started:5.1f}s] {text}", err=True)
        self._since = now

    def end(self) -> None:
        click.echo(f"[{time.monotonic() - self._started:5.1f}s] done\n", err=True)


def _prepare(folder: Path) -> None:
    """Start from nothing: the demo's own files, and only those, are taken away."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("driftguard.db", "driftguard.db-wal", "driftguard.db-shm", "report.html", "plan.json"):
        (folder / name).unlink(missing_ok=True)


def _wiring(sandbox: Sandbox, folder: Path) -> Wiring:
    from driftguard.sandbox.estate.plan import estate, read
    from driftguard.settings import load_settings
    from driftguard.wiring import Wiring

    config = folder / "config.yaml"
    store = f"store:\n  url: sqlite:///{(folder / 'driftguard.db').resolve()}\n"
    config.write_text(read("config.yaml") + store, encoding="utf-8")
    settings = load_settings(str(config), {})
    return Wiring(
        settings,
        session_factory=lambda: sandbox.session(
            account=estate().account("management"), principal="driftguard"
        ),
        clock=sandbox.clock.now,
    )


def _scan(wiring: Wiring) -> Report:
    from driftguard.cli.progress import shown
    from driftguard.scan import scan

    with shown() as progress:
        return scan(wiring.job(trigger="demo"), progress)


def _seen(report: Report) -> str:
    return f"{report.coverage.checked} declared resources checked, {len(report.gaps)} gaps named"


def _plan(wiring: Wiring, report: Report) -> tuple[list[Finding], Plan]:
    """What driftguard would do about everything that it found; nothing is done."""
    from driftguard.remediation import Wishes

    chosen = [one for one in report.findings if one.open and not one.waiver]
    plan = wiring.plan(chosen, Wishes(author=wiring.actor))
    wiring.store.put_plan(plan)
    return chosen, plan


def _show(plan: Plan, *, short: bool) -> None:
    """The plan; in short its sum, and what it leaves to people."""
    from driftguard.remediation.render import sums, text

    click.secho(
        "\nWhat driftguard would do about it (nothing is done until somebody approves it):\n", bold=True
    )
    click.echo(sums(plan) if short else text(plan))


def _stack(wiring: Wiring) -> str:
    from driftguard.remediation.setup import template

    types = {key.type for key in wiring.store.state_hashes()}
    return template(wiring.remedies, wiring.settings.remediation, types)


def _next(folder: Path, stay: bool) -> None:
    us = f"{_ourselves()} --config {folder / 'config.yaml'}"
    click.echo(
        f"""
The report:  {folder / "report.html"}   (open it in a browser)
The plan:    {folder / "plan.json"}
The history: {folder / "driftguard.db"}   (sqlite-utils or Datasette open it)

Try next:
  {us} drift
  {us} history shop-prod-artifacts-222222222222
  {us} serve                    the pages and the API, in a browser"""
    )
    if stay:
        click.echo(f"""\
  {us} explain shop-prod-artifacts-222222222222
  {us} remediate plan --out demo-plan.json   then approve and apply it

AWS goes on. What follows points a second shell at it:
""")
    else:
        click.echo(f"""\
  {_ourselves()} demo --stay              the same, and AWS goes on: explain, plan, apply, scan again
  {_ourselves()} init, doctor, scan       your own account, read-only""")


def _ourselves() -> str:
    """How this command is called from here: by name, or by its place in an environment that is not active."""
    if shutil.which("driftguard"):
        return "driftguard"
    script = Path(sys.executable).parent / "driftguard"
    if not script.is_file():
        return "python -m driftguard"
    return str(script.relative_to(Path.cwd())) if script.is_relative_to(Path.cwd()) else str(script)
