"""Judge templates before they are deployed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.levels import Level
from driftguard.cli.output import output_option, print_json

if TYPE_CHECKING:
    from driftguard.cli.checking.judge import Answer
    from driftguard.cli.checking.soundness import Remark
    from driftguard.rules import Catalogue

_LEVEL = Level("never")


@click.command("check", help=__doc__)
@click.argument("templates", nargs=-1, required=True, type=click.Path(exists=True), metavar="TEMPLATE...")
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="ID",
    help="Only this policy; repeatable, wildcards allowed.",
)
@click.option(
    "--framework",
    "frameworks",
    multiple=True,
    metavar="NAME",
    help="Only the policies of this framework; repeatable.",
)
@click.option("--parameters", "parameter_files", multiple=True, type=click.Path(exists=True, dir_okay=False),
              metavar="FILE", help="Parameter values of one environment; repeatable, each is judged by itself.")  # fmt: skip
@click.option(
    "--folder",
    "folders",
    multiple=True,
    type=click.Path(exists=True),
    help="Policies of your own besides ours.",
)
@click.option(
    "--fail-on",
    type=_LEVEL,
    default="low",
    show_default=True,
    help="The least severity that makes the exit code 1.",
)
@click.option("--strict", is_flag=True, help="Exit with 3 when anything could not be judged.")
@output_option("sarif", "junit")
@pass_app
def command(
    app: App,
    templates: tuple[str, ...],
    policies: tuple[str, ...],
    frameworks: tuple[str, ...],
    parameter_files: tuple[str, ...],
    folders: tuple[str, ...],
    fail_on: str,
    strict: bool,
    output: str,
) -> int:
    """Judge every resource of the templates; 0 when all is well, 1 on a fault, 2 on an error.

    A reference to nothing is an error as well: CloudFormation refuses such a template.  A resource type that is
    not known was not judged, and may be newer than this release: 3 under --strict.  Both are named with file,
    line and the nearest name, as is a property that is not known.
    """
    _use_schemas(app)
    catalogue = _catalogue(app, folders, policies, frameworks)
    answer = _judge(catalogue, templates, parameter_files)
    _print(answer, output)
    for warning in dict.fromkeys(answer.warnings):
        click.echo(warning, err=True)
    if answer.errors:
        return 2
    worst = answer.worst()
    if worst is not None and fail_on != "never" and worst.rank <= _LEVEL.choices.index(fail_on):
        return 1
    if answer.broken:
        return 2
    return 3 if strict and not answer.complete else 0


def _use_schemas(app: App) -> None:
    """The accounts' own schemas say which private types there are, and newer ones than we know."""
    from driftguard.schema import use_folder

    folder = app.settings.scan.schemas
    use_folder(Path(folder) if folder else None)


def _catalogue(
    app: App, folders: tuple[str, ...], policies: tuple[str, ...], frameworks: tuple[str, ...]
) -> Catalogue:
    from driftguard.rules.shipped import load_all, selected

    return selected(
        load_all((*app.settings.policies.folders, *folders), plugins=app.settings.policies.allow_plugins),
        app.settings.policies,
        policies,
        frameworks,
    )


def _judge(catalogue: Catalogue, paths: tuple[str, ...], parameter_files: tuple[str, ...]) -> Answer:
    from driftguard.cli.checking.judge import Answer, judge_template
    from driftguard.cli.checking.templates import Sources, judged_template, read_parameters
    from driftguard.errors import TemplateError

    answer = Answer(errors=[str(error) for error in catalogue.errors])
    environments: list[tuple[str, dict[str, Any]]] = [
        (Path(name).stem, read_parameters(Path(name))) for name in parameter_files
    ] or [("", {})]
    sources = Sources(paths)
    for source in sources:
        answer.templates += 1
        found: list[Remark] = []
        for environment, parameters in environments:
            try:
                template = judged_template(source, parameters)
            except TemplateError as error:
                answer.errors.append(str(error))
                continue
            found.extend(template.remarks)
            answer.results.extend(judge_template(catalogue, template, environment, answer.warnings))
        # Each environment finds the same.
        answer.remarks.extend(dict.fromkeys(found))
    answer.errors.extend(sources.errors)
    answer.skipped_files = sources.skipped
    return answer


def _print(answer: Answer, output: str) -> None:
    from driftguard.cli.checking import formats

    if output == "json":
        print_json(formats.json_document(answer))
    elif output == "sarif":
        print_json(formats.sarif(answer))
    elif output == "junit":
        click.echo(formats.junit(answer), nl=False)
    else:
        for line in formats.text_lines(answer):
            click.echo(line)
