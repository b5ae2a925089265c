"""Plan, approve and apply what puts findings right."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from driftguard.cli.answers import Answers, answer_options
from driftguard.cli.app import App, pass_app
from driftguard.cli.output import output_option, print_json, refuse_unwritable
from driftguard.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftguard.history.kept import AuditEntry
    from driftguard.history.port import Store
    from driftguard.model.remediation import Plan
    from driftguard.wiring import Wiring

_ALL = 10_000


@click.group("remediate", help=__doc__)
def command() -> None:
    pass


@command.command("plan", help="Make a plan from the open findings.  Nothing is changed.")
@click.argument("findings", nargs=-1)
@click.option("--cause", "causes", multiple=True, metavar="ID", help="All of this root cause; repeatable.")
@click.option("--policy", "policies", multiple=True, help="Only faults of this policy; repeatable.")
@click.option("--account", "accounts", multiple=True, help="Only this account; repeatable.")
@click.option("--region", "regions", multiple=True, help="Only this region; repeatable.")
@click.option("--type", "types", multiple=True, help="Only this resource type; repeatable.")
@click.option("--stack", "stacks", multiple=True, help="Only this stack; repeatable.")
@click.option("--severity", "severities", multiple=True, help="Only this severity; repeatable.")
@click.option("--drift/--no-drift", default=True, show_default=True, help="Take drift.")
@click.option("--compliance/--no-compliance", default=True, show_default=True, help="Take policy faults.")
@click.option(
    "--unmanaged/--no-unmanaged",
    default=True,
    show_default=True,
    help="Take resources that no stack declares.",
)
@answer_options
@click.option(
    "--rollout", default="", help="OneAtATime, HalfAtATime, AllAtOnce, Canary10Percent5Minutes, ..."
)
@click.option("--out", "out", metavar="FILE", help="Plan file to write (default: PLAN-ID.json).")
@click.option("--full", is_flag=True, help="Every step with its reasons, safety, rollback and diff.")
@output_option("md")
@pass_app
def plan_command(
    app: App,
    findings: tuple[str, ...],
    causes: tuple[str, ...],
    policies: tuple[str, ...],
    accounts: tuple[str, ...],
    regions: tuple[str, ...],
    types: tuple[str, ...],
    stacks: tuple[str, ...],
    severities: tuple[str, ...],
    drift: bool,
    compliance: bool,
    unmanaged: bool,
    answers: Answers,
    rollout: str,
    out: str | None,
    full: bool,
    output: str,
) -> None:
    from driftguard.cli.chosen import chosen_findings
    from driftguard.cli.vocabulary import SEVERITIES, Names, words
    from driftguard.history.port import Query
    from driftguard.remediation.rollout import rollout as known_rollout
    from driftguard.remediation.seal import write
    from driftguard.wiring import Wiring

    if out:
        refuse_unwritable(out)
    known_rollout(rollout or app.settings.remediation.rollout, app.settings.remediation.rollouts)
    query = Query(
        accounts=accounts,
        regions=regions,
        types=types,
        stacks=stacks,
        severities=words("severity", severities, SEVERITIES),
        statuses=("NEW", "NOTIFIED"),
        kinds=_kinds(drift, compliance, unmanaged, bool(findings)),
        subjects=policies,
        limit=_ALL,
    )
    with Wiring(app.settings, existing=True) as wiring:
        (names := Names(wiring)).looked_at(None)
        query = names.checked(query)
        wishes = answers.wishes(wiring.store, wiring.clock(), author=wiring.actor, rollout=rollout)
        chosen = {one.fingerprint: one for one in chosen_findings(wiring.store, query, findings, causes)}
        wiring.store.put_plan(plan := wiring.plan([*(chosen | answers.findings).values()], wishes))
    write(plan, path := Path(out or f"{plan.id}.json"))
    _print(plan, output, full=full)
    click.echo(f"The plan is {path}.", err=True)


def _print(plan: Plan, output: str, *, full: bool) -> None:
    from driftguard.remediation import render
    from driftguard.remediation.seal import to_json

    if output == "json":
        print_json({"summary": render.summary(plan), **to_json(plan)})
    elif output == "md":
        click.echo(render.markdown(plan))
    else:
        click.echo(render.full(plan) if full else render.text(plan), nl=False)


@command.command("show", help="A plan, as `remediate plan` printed it.")
@click.argument("plan")
@click.option("--full", is_flag=True, help="Every step with its reasons, safety, rollback and diff.")
@output_option("md")
@pass_app
def show_command(app: App, plan: str, full: bool, output: str) -> int:
    from driftguard.wiring import Wiring

    with Wiring(app.settings, existing=True) as wiring:
        _print(_load(wiring, plan), output, full=full)
    return 0


def _kinds(drift: bool, compliance: bool, unmanaged: bool, named: bool) -> tuple[str, ...]:
    if named:
        return ()
    kinds = (("DRIFT", "UNDECLARED") if drift else ()) + (("COMPLIANCE",) if compliance else ())
    return kinds + (("UNMANAGED",) if unmanaged else ())


@command.command("approve", help="Say that a plan may be applied: who, why, and the ticket.")
@click.argument("plan")
@click.option("--reason", required=True, help="Why.")
@click.option("--ticket", default="", help="A ticket that holds the discussion.")
@pass_app
def approve_command(app: App, plan: str, reason: str, ticket: str) -> int:
    from driftguard.cli.decisions import refuse_short
    from driftguard.errors import RefusedError
    from driftguard.model.remediation import Approval
    from driftguard.remediation.guards import approved, plan_refusals
    from driftguard.wiring import Wiring

    refuse_short("reason", reason, "why this may be done")
    with Wiring(app.settings, existing=True) as wiring:
        found = _load(wiring, plan)
        settings, now = app.settings.remediation, datetime.now(UTC)
        for guard, why in plan_refusals(found, settings, now, needs_approval=False):
            raise RefusedError(why[0].upper() + why[1:], guard=guard, fix="Make a new plan.")
        if wiring.actor == found.author and not settings.author_may_approve:
            raise RefusedError(
                f"{found.author} made this plan and may not approve it.",
                guard="two-person",
                fix="Ask somebody else (`remediation.author_may_approve`).",
            )
        approval = Approval(approver=wiring.actor, at=now, reason=reason, digest=found.digest, ticket=ticket)
        wiring.store.approve_plan(found.id, approval)
        missing = approved(_load(wiring, found.id), settings)
    click.echo(f"{found.id}: approved by {approval.approver}." + (f" Still, {missing}" if missing else ""))
    return 0


@command.command("apply", help="Do what an approved plan says, and check it.  Goes on where it was left.")
@click.argument("plan")
@click.option(
    "--patches", default="driftguard-patches", show_default=True, help="Folder for template patches."
)
@output_option()
@pass_app
def apply_command(app: App, plan: str, patches: str, output: str) -> int:
    from driftguard.remediation.render import outcome
    from driftguard.wiring import Wiring

    with Wiring(app.settings, existing=True) as wiring:
        found = _load(wiring, plan)
        result = wiring.apply(found, patches=Path(patches))
    if output == "json":
        print_json(
            {"plan": found.id, "stopped": result.stopped, "paused": result.paused, **_rows(result.executions)}
        )
    else:
        click.echo(outcome(found, result.executions), nl=False)
        if result.stopped:
            click.echo(f"Stopped: {result.stopped}.")
        if result.paused:
            click.echo("Paused. `driftguard remediate resume` and `apply` go on.")
    return 0 if result.clean else 1


@command.command("status", help="Plans and what came of them.")
@click.argument("plan", required=False)
@output_option()
@pass_app
def status_command(app: App, plan: str | None, output: str) -> int:
    from driftguard.history.port import Query
    from driftguard.remediation.guards import approved
    from driftguard.remediation.render import counts, outcome
    from driftguard.wiring import Wiring

    with Wiring(app.settings, existing=True) as wiring:
        if plan:
            found = _load(wiring, plan)
            rows = wiring.store.executions(found.id)
            if output == "json":
                print_json({"plan": found.id, **_rows(rows)})
            else:
                click.echo(outcome(found, rows), nl=False)
            return 0
        plans = wiring.store.plans(Query(limit=100)).items
        known = {one.id: wiring.store.executions(one.id) for one in plans}
    if output == "json":
        print_json(
            [
                {
                    "id": one.id,
                    "author": one.author,
                    "steps": len(one.steps),
                    "approved": not approved(one, app.settings.remediation),
                    "counts": Counter(row.status.value for row in known[one.id]),
                }
                for one in plans
            ]
        )
        return 0
    for one in plans:
        missing = approved(one, app.settings.remediation)
        state = "approved" if not missing else "not approved"
        if known[one.id]:
            # What came of it says more than that it might be applied.
            state = counts(one, known[one.id])
        click.echo(
            f"{one.id}  {one.created_at:%Y-%m-%d %H:%M}  {len(one.steps):>3} steps  {state}  by {one.author}"
        )
    return 0


@command.command("rollback", help="Put back what a plan changed, from the state that was saved.")
@click.argument("plan")
@click.argument("steps", nargs=-1)
@click.option("--reason", required=True, help="Why; for the audit log.")
@pass_app
def rollback_command(app: App, plan: str, steps: tuple[str, ...], reason: str) -> int:
    from driftguard.remediation.render import outcome
    from driftguard.remediation.render.short import name_of
    from driftguard.remediation.render.words import wrapped
    from driftguard.remediation.rollback import left_alone, roll_back
    from driftguard.wiring import Wiring

    with Wiring(app.settings, existing=True) as wiring:
        found = _load(wiring, plan)
        wiring.store.audit(wiring.actor, "plan.rollback", found.id, {"reason": reason, "steps": list(steps)})
        runner = wiring.runner(found, patches=Path(), needs_approval=False)
        alone = {} if steps else left_alone(found, wiring.store.executions(found.id))
        changed = roll_back(found, wiring.store, runner, steps)
        click.echo(outcome(found, wiring.store.executions(found.id)), nl=False)
    alone.update((one.step, one.detail) for one in changed if one.status != "ROLLED_BACK")
    if alone:
        click.echo("\nNot rolled back")
        for step in found.steps:
            if step.id in alone:
                click.echo(
                    "\n".join(wrapped(f"{name_of(step)}: {alone[step.id]}", f"  {step.id}  ", " " * 12))
                )
    return 0 if all(one.status == "ROLLED_BACK" for one in changed) else 1


def _word(name: str, action: str, help_text: str, said: str) -> None:
    @command.command(name, help=help_text)
    @click.argument("plan")
    @pass_app
    def word_command(app: App, plan: str) -> int:
        from driftguard.wiring import Wiring

        with Wiring(app.settings, existing=True) as wiring:
            found = _load(wiring, plan)
            wiring.store.audit(wiring.actor, action, found.id, {})
        click.echo(f"{found.id}: {said}")
        return 0


_word("pause", "plan.pause", "Start nothing more for now.", "paused; what runs comes to its end.")
_word(
    "resume", "plan.resume", "Go on after a pause.", "may go on; run `remediate apply` again if it has ended."
)
_word("abort", "plan.abort", "Start nothing more, ever.", "aborted; what runs comes to its end.")


@command.command("setup", help="Print a CloudFormation stack with our documents and the roles they need.")
@click.option(
    "--type",
    "types",
    multiple=True,
    help="A type whose drift may be put back; repeatable (default: the types that the last scans saw).",
)
@pass_app
def setup_command(app: App, types: tuple[str, ...]) -> int:
    from driftguard.remediation.setup import template
    from driftguard.wiring import Wiring

    with Wiring(app.settings, existing=True) as wiring:
        seen = types or sorted({key.type for key in wiring.store.state_hashes()})
        click.echo(template(wiring.remedies, app.settings.remediation, seen), nl=False)
    return 0


@command.command("rehearsal", help="What automation would have done in the last nights.")
@click.option("--nights", type=click.IntRange(1, 400), default=7, show_default=True)
@pass_app
def rehearsal_command(app: App, nights: int) -> int:
    from driftguard.remediation.automatic import rehearsals
    from driftguard.wiring import Wiring

    with Wiring(app.settings, existing=True) as wiring:
        click.echo(rehearsals(_audit(wiring.store), wiring.clock(), nights), nl=False)
    return 0


def _audit(store: Store) -> Iterator[AuditEntry]:
    after = 0
    while entries := store.audit_entries(after, 1000):
        yield from entries
        after = entries[-1].sequence


@command.command("import", help="Take over AWS Config's remediations (printed) and exceptions (as waivers).")
@click.option("--waivers/--no-waivers", default=False, show_default=True, help="Record the exceptions, too.")
@pass_app
def import_command(app: App, waivers: bool) -> int:
    from driftguard.remediation.imports import read, remedies_yaml
    from driftguard.wiring import Wiring

    with Wiring(app.settings) as wiring:
        found = read(wiring.aws, wiring.clock(), exceptions=waivers)
        for waiver in found.waivers:
            wiring.store.put_waiver(waiver, actor=wiring.actor)
    for said in found.closed:
        click.echo(said, err=True)
    click.echo(remedies_yaml(found.rules, found.configurations), nl=False)
    click.echo(f"{len(found.configurations)} remediations, {len(found.waivers)} exceptions.", err=True)
    return 0


def _load(wiring: Wiring, name: str) -> Plan:
    """A plan by id or file.  Approvals come from the store; the steps of a file must be those of the store."""
    from dataclasses import replace

    from driftguard.remediation.seal import read

    path = Path(name)
    given = read(path) if path.suffix == ".json" or path.is_file() else None
    plan_id = given.id if given is not None else name
    known = wiring.store.plan(plan_id)
    if known is None and given is None:
        raise InputError(f"there is no plan {name}.", fix="`driftguard remediate status` lists plans.")
    if known is None:
        assert given is not None
        return replace(given, approvals=())
    return replace(given, approvals=known.approvals) if given is not None else known


def _rows(executions: object) -> dict[str, object]:
    from driftguard.model.remediation import Execution

    assert isinstance(executions, list | tuple)
    rows = []
    for one in executions:
        assert isinstance(one, Execution)
        rows.append(
            {
                "step": one.step,
                "status": one.status.value,
                "execution_id": one.execution_id,
                "started_at": one.started_at.isoformat() if one.started_at else None,
                "finished_at": one.finished_at.isoformat() if one.finished_at else None,
                "detail": one.detail,
            }
        )
    return {"executions": rows}
