"""List, show, test and import policies."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.output import output_option, print_json
from driftguard.cli.vocabulary import framework_of, known_types, refuse_types

if TYPE_CHECKING:
    from driftguard.rules import Catalogue


@click.group("policies", help=__doc__)
def command() -> None:
    """List, show, test and import policies."""


def _catalogue(app: App, folders: tuple[str, ...]) -> Catalogue:
    from driftguard.rules.shipped import load_all

    chosen = app.settings.policies
    return load_all((*chosen.folders, *folders), plugins=chosen.allow_plugins)


_folder = click.option(
    "--folder",
    "folders",
    multiple=True,
    type=click.Path(exists=True),
    help="Policies of your own besides ours.",
)


@command.command("list")
@_folder
@click.option("--framework", help="Only the policies of this framework.")
@click.option("--type", "type_name", help="Only the policies of this resource type.")
@output_option()
@pass_app
def list_policies(
    app: App, folders: tuple[str, ...], framework: str | None, type_name: str | None, output: str
) -> int:
    """All policies with severity, types and frameworks."""
    catalogue = _catalogue(app, folders)
    if framework is not None:
        framework = framework_of(framework, {name for one in catalogue.policies for name in one.frameworks})
    if type_name is not None:
        judged = {name for one in catalogue.policies for name in one.resource_types}
        refuse_types((type_name,), judged | known_types(app.settings), lambda name: False)
    chosen = [
        one
        for one in catalogue.policies
        if (type_name is None or any(fnmatchcase(name, type_name) for name in one.resource_types))
        and (framework is None or framework in one.frameworks)
    ]
    if output == "json":
        dormant = {one.id for one in catalogue.dormant}
        print_json(
            {
                "policies": [{**_row(one), "needs_parameters": one.id in dormant} for one in chosen],
                "errors": [str(error) for error in catalogue.errors],
            }
        )
    else:
        for one in chosen:
            click.echo(f"{one.severity:<13} {one.id:<60} {one.title}")
        click.echo(f"{len(chosen)} policies, {len(catalogue.errors)} files with errors", err=True)
        for error in catalogue.errors:
            click.echo(str(error), err=True)
    return 2 if catalogue.errors else 0


@command.command("show")
@click.argument("name")
@_folder
@output_option()
@pass_app
def show(app: App, name: str, folders: tuple[str, ...], output: str) -> int:
    """One policy in full."""
    from driftguard.errors import InputError
    from driftguard.rules.reference import policy_section

    policy = _catalogue(app, folders).get(name)
    if policy is None:
        raise InputError(f"no policy is called {name}.", fix="`driftguard policies list` shows them all.")
    if output == "json":
        print_json({**_row(policy), "assert": policy.asserts.text, "source": policy.source})
    else:
        click.echo(policy_section(policy))
    return 0


@command.command("test")
@click.argument("names", nargs=-1)
@_folder
@output_option()
@pass_app
def test(app: App, names: tuple[str, ...], folders: tuple[str, ...], output: str) -> int:
    """Run the policies' own cases: all of them, or those of the named policies."""
    from driftguard.errors import InputError
    from driftguard.rules.selftest import lacking, run_cases

    catalogue = _catalogue(app, folders)
    missing = [name for name in names if catalogue.get(name) is None]
    if missing and not catalogue.errors:
        raise InputError(
            f"no policy is called {missing[0]}.", fix="`driftguard policies list` shows them all."
        )
    chosen = [
        one for one in catalogue.policies if not names or one.id in names or set(names) & set(one.aliases)
    ]
    results = [result for policy in chosen for result in run_cases(policy)]
    failed = [result for result in results if not result.passed]
    bare = [(one.id, verdict) for one in chosen for verdict in lacking(one)]
    if output == "json":
        print_json(
            {
                "policies": len(chosen),
                "cases": len(results),
                "failed": [_case(result) for result in failed],
                "without_example": [{"policy": name, "verdict": verdict} for name, verdict in bare],
                "errors": [str(error) for error in catalogue.errors],
            }
        )
    else:
        for result in failed:
            click.echo(
                f"{result.policy}: `{result.case}` expects {result.expected}, is {result.actual}. {result.message}"
            )
        for name, verdict in bare:
            click.echo(f"{name}: has no case that expects {verdict}.")
        for error in catalogue.errors:
            click.echo(str(error))
        click.echo(f"{len(chosen)} policies, {len(results)} cases, {len(failed)} failed", err=True)
    if catalogue.errors:
        return 2
    return 1 if failed or bare else 0


@command.command("import")
@click.argument("packs", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--parameter", "-p", "given", multiple=True, metavar="KEY=VALUE", help="A parameter of the pack."
)
@_folder
@output_option()
@pass_app
def import_packs(
    app: App, packs: tuple[str, ...], given: tuple[str, ...], folders: tuple[str, ...], output: str
) -> int:
    """Read AWS conformance packs and say who judges each of their rules."""
    from driftguard.rules.packs import read_pack

    parameters = dict(pair.partition("=")[::2] for pair in given)
    catalogue = _catalogue(app, folders)
    read = [read_pack(Path(name), catalogue, parameters) for name in packs]
    if output == "json":
        print_json({"packs": [_pack(pack) for pack in read]})
        return 0
    for pack in read:
        counts = ", ".join(f"{number} {judge}" for judge, number in pack.counts().items() if number)
        click.echo(f"{pack.name}: {len(pack.rules)} rules ({counts or 'none'})")
        if len(read) == 1:
            for rule in pack.rules:
                values = ", ".join(f"{key}={value}" for key, value in rule.parameters.items())
                said = f" {rule.problem}" if rule.problem else ""
                click.echo(f"  {rule.judge.value:<11} {rule.identifier} {values}{said}".rstrip())
    return 0


def _pack(pack: Any) -> dict[str, Any]:
    return {
        "name": pack.name,
        "counts": pack.counts(),
        "skipped": list(pack.skipped),
        "remediations": pack.remediations,
        "rules": [
            {
                "name": rule.name,
                "identifier": rule.identifier,
                "judge": rule.judge,
                "policy": rule.policy,
                "parameters": dict(rule.parameters),
                "problem": rule.problem,
            }
            for rule in pack.rules
        ],
        "overrides": [one.model_dump(include={"policy", "parameters"}) for one in pack.overrides()],
    }


def _row(policy: Any) -> dict[str, Any]:
    return {
        "id": policy.id,
        "aliases": policy.aliases,
        "title": policy.title,
        "severity": policy.severity,
        "resource_types": policy.resource_types,
        "parameters": {name: spec.default for name, spec in policy.parameters.items()},
        "frameworks": {name: list(ids) for name, ids in policy.frameworks.items()},
        "custom": policy.custom,
        "remedy": policy.remedy,
        "file": str(Path(policy.where.file)),
    }


def _case(result: Any) -> dict[str, Any]:
    return {
        "policy": result.policy,
        "case": result.case,
        "expected": result.expected,
        "actual": result.actual,
        "message": result.message,
    }
