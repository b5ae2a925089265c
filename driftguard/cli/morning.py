"""The morning after the demo's night: people answer, approve and deploy, and the next scan has to be clean."""

from __future__ import annotations

import shlex
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from driftguard.cli.answers import Answers
from driftguard.model import FindingStatus
from driftguard.model.remediation import ActionKind, Approval, Cure, ExecutionStatus, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from driftguard.model import Finding, Report
    from driftguard.sandbox import Sandbox
    from driftguard.wiring import Wiring

_REASON = "read by two of us"


def play(
    sandbox: Sandbox,
    wiring: Wiring,
    findings: Sequence[Finding],
    left: Plan,
    folder: Path,
    look: Callable[[Wiring], Report],
) -> Plan:
    """Answer what ``left`` leaves to people, and go all the way to the next scan, which ``look`` makes."""
    plan = _planned(wiring, findings, left)
    _say(f"remediate approve {plan.id} --reason {shlex.quote(_REASON)}")
    approval = Approval(approver="demo", at=wiring.clock(), reason=_REASON, digest=plan.digest)
    wiring.store.approve_plan(plan.id, approval)
    _applied(sandbox, wiring, replace(plan, approvals=(approval,)), folder)
    _deployed(sandbox, plan, folder / "patches")
    _say("scan")
    _told(wiring, plan, look(wiring))
    return plan


def _say(command: str) -> None:
    click.secho(f"\n$ driftguard {command}", bold=True)


def _planned(wiring: Wiring, findings: Sequence[Finding], left: Plan) -> Plan:
    """The plan again, with an answer for each finding that it left."""
    from driftguard.remediation.render import sums

    flags, answers = _answered({one.finding for one in left.left}, findings)
    wishes = answers.wishes(wiring.store, wiring.clock(), author=wiring.actor)
    click.secho("\nIn the morning people answer what only they can decide:", bold=True)
    _say(" \\\n    ".join(["remediate plan", *flags]))
    plan = wiring.plan(findings, wishes)
    wiring.store.put_plan(plan)
    click.echo(sums(plan), nl=False)
    return plan


def _answered(left: set[str], findings: Sequence[Finding]) -> tuple[list[str], Answers]:
    """The flags as they are typed, and what they say."""
    from driftguard.remediation.answers import SHORT
    from driftguard.sandbox.estate import answers

    said = {row["about"]: row for row in answers()}
    flags: list[str] = []
    typed: dict[Cure, list[str]] = defaultdict(list)
    for finding in findings:
        row = said.get(finding.logical_id or finding.key.identifier)
        if finding.fingerprint not in left or row is None:
            continue
        name, cure = finding.fingerprint[:SHORT], Cure(row["cure"].upper())
        typed[cure].append(f"{name}={row['why']}" if row.get("why") else name)
        word = " --allow-deletes" if cure is Cure.REVERT else ""
        flags.append(f"--{row['cure']} {shlex.quote(typed[cure][-1])}{word}")
    shown = sorted(flags, key=lambda flag: flag.startswith("--accept"))
    return shown, Answers({**typed}, allow_deletes=Cure.REVERT in typed)


def _applied(sandbox: Sandbox, wiring: Wiring, plan: Plan, folder: Path) -> None:
    from driftguard.remediation.render import outcome

    def sleep(seconds: float) -> None:
        sandbox.clock.advance(seconds)
        time.sleep(0.02)

    _say(f"remediate apply {plan.id}")
    rows = wiring.apply(plan, patches=folder / "patches", sleep=sleep).executions
    helped = sum(one.status is ExecutionStatus.VERIFIED for one in rows)
    if helped < len(plan.steps):
        click.echo(outcome(plan, rows))
        return
    click.echo(
        f"{helped} of {len(plan.steps)} steps were done, and each fault was looked at again: it is gone, waived, or "
        f"its patch is written.\nEach step: driftguard --config {folder / 'config.yaml'} remediate status {plan.id}"
    )


def _deployed(sandbox: Sandbox, plan: Plan, patches: Path) -> None:
    """Deploy what the plan wrote: one template may hold the patches of several steps."""
    from driftguard.sandbox.estate import redeploy

    steps = [step for step in plan.steps if step.action is ActionKind.TEMPLATE_PATCH]
    click.secho("\nThe team's pipeline deploys the patched templates:", bold=True)
    for stack_id, file in dict.fromkeys((step.stack_id, step.target) for step in steps):
        body = (patches / Path(file).name).read_text(encoding="utf-8")
        about = ", ".join(step.logical_id for step in steps if step.stack_id == stack_id)
        click.echo(f"  stack {redeploy(sandbox, stack_id, body)}, {file}: {about}")


def _told(wiring: Wiring, plan: Plan, report: Report) -> None:
    """The last word: what is open, what was accepted, why and until when, and what nobody looked at."""
    left = [one for one in report.findings if one.open]
    waived = [one for one in report.findings if one.status is FindingStatus.SUPPRESSED and one.waiver]
    known = {one.id: one for one in wiring.store.waivers()}
    until = max((f"{known[str(one.waiver)].expires_at:%Y-%m-%d}" for one in waived), default="")
    accepted = f", {len(waived)} accepted until {until}" if waived else ""
    click.secho(f"{len(left)} open{accepted}.", bold=True, fg="red" if left else "green")
    click.echo(
        f"There were {sum(len(step.findings) for step in plan.steps) + len(plan.left)} open before; "
        f"{len(report.gaps)} gaps could not be looked at, as in the night."
    )
    for one in left:
        click.echo(f"  open      {one.title} ({one.key.account})")
    for one in waived:
        click.echo(f"  accepted  {one.title} ({one.logical_id or one.key.identifier}, {one.key.account})")
        click.echo(f"            {known[str(one.waiver)].reason}")
