"""Show a template with every intrinsic that can be known replaced by its value."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from driftguard.cli.output import output_option, print_json
from driftguard.errors import InputError, Where

if TYPE_CHECKING:
    from driftguard.declared.context import ResolveContext, Resolved

_CONTEXT_FIELDS = (
    "parameters",
    "resolved_parameters",
    "physical_ids",
    "attributes",
    "children",
    "exports",
    "availability_zones",
    "notification_arns",
    "ssm_values",
    "mappings",
    "stack_id",
    "stack_name",
    "account_id",
    "region",
    "partition",
    "deployed",
)


@click.command("resolve", help=__doc__)
@click.argument("template", type=click.Path(path_type=Path))
@click.option("--parameter", "-p", "given", multiple=True, metavar="KEY=VALUE", help="A parameter value.")
@click.option("--account-id", metavar="ID", help="The value of AWS::AccountId.")
@click.option("--region", help="The value of AWS::Region.")
@click.option("--stack-name", metavar="NAME", help="The value of AWS::StackName.")
@click.option(
    "--context",
    "context_file",
    type=click.Path(path_type=Path),
    help="A JSON or YAML file with physical_ids, attributes, exports, availability_zones, ssm_values, ...",
)
@output_option()
def command(
    template: Path,
    given: tuple[str, ...],
    account_id: str | None,
    region: str | None,
    stack_name: str | None,
    context_file: Path | None,
    output: str,
) -> int:
    """Print the resolved template; what cannot be known is left as its intrinsic."""
    from driftguard.declared.resolve import resolve
    from driftguard.declared.template import load_template

    named = {"account_id": account_id, "region": region, "stack_name": stack_name}
    context = _context(context_file, given, {key: value for key, value in named.items() if value})
    answer = answer_of(resolve(load_template(template), context))
    if output == "json":
        print_json(answer)
    else:
        _print_text(answer)
    return 0


def _context(file: Path | None, given: tuple[str, ...], named: dict[str, str]) -> ResolveContext:
    from driftguard.declared.context import ResolveContext
    from driftguard.declared.template import parse_document, read_text

    fields: dict[str, Any] = {}
    if file is not None:
        document, _ = parse_document(read_text(file), str(file))
        if not isinstance(document, dict):
            raise InputError("a context is a map.", where=Where(str(file), 1))
        wrong = sorted(set(document) - set(_CONTEXT_FIELDS))
        if wrong:
            raise InputError(
                f"a context has no field {wrong[0]}.",
                where=Where(str(file)),
                fix=f"Known are {', '.join(_CONTEXT_FIELDS)}.",
            )
        fields.update(document)
    fields.update(named)
    fields["parameters"] = {**fields.get("parameters", {}), **_parameters(given)}
    zones = fields.get("availability_zones")
    if isinstance(zones, list):
        fields["availability_zones"] = {fields.get("region", ""): tuple(zones)}
    return ResolveContext(**fields)


def _parameters(given: tuple[str, ...]) -> dict[str, str]:
    values = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--parameter {text} has no value.", fix="Write --parameter KEY=VALUE.")
        values[name] = value
    return values


def answer_of(resolved: Resolved) -> dict[str, Any]:
    """The form that the contract promises for ``resolve --output json``."""
    left = {entry.path: entry.expression for entry in resolved.unknown}
    resources: dict[str, Any] = {}
    for resource in resolved.resources:
        pointer = f"/{resource.logical_id}/Properties"
        properties = left.get(pointer, _put_back(resource.properties, pointer, left))
        resources[resource.logical_id] = {"Type": resource.type, "Properties": properties}
    return {
        "resources": resources,
        "absent": list(resolved.absent),
        "unknown": [
            {"path": entry.path, "reason": entry.reason, "line": entry.line} for entry in resolved.unknown
        ],
    }


def _put_back(value: Any, pointer: str, left: dict[str, Any]) -> Any:
    """``value`` with the intrinsics that are left where the unknown values stand."""
    if pointer in left:
        return left[pointer]
    if isinstance(value, dict):
        return {
            key: _put_back(item, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", left)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_put_back(item, f"{pointer}/{index}", left) for index, item in enumerate(value)]
    return value


def _print_text(answer: dict[str, Any]) -> None:
    import yaml

    click.echo(
        yaml.safe_dump({"Resources": answer["resources"]}, sort_keys=False, allow_unicode=True), nl=False
    )
    for name in answer["absent"]:
        click.echo(f"# {name} is taken out by its condition")
    for entry in answer["unknown"]:
        click.echo(f"# line {entry['line']}: {entry['path']}: {entry['reason']}")
