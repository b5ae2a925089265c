"""Print the least-privilege IAM policy that driftguard needs."""

from __future__ import annotations

import click

from driftguard.cli.output import output_option, print_json
from driftguard.errors import InputError


@click.command("iam-policy", help=__doc__)
@click.option("--remediate", is_flag=True, help="Add what remediation and publishing need.")
@click.option(
    "--type", "types", multiple=True, metavar="TYPE", help="Add what Cloud Control needs to read this type."
)
@output_option(default="json")
def command(remediate: bool, types: tuple[str, ...], output: str) -> int:
    from driftguard.aws import permissions

    document = permissions.policy(remediate=remediate, model_actions=_model_actions(types))
    if output == "json":
        print_json(document)
        return 0
    for statement in document["Statement"]:
        click.echo(f"{statement['Sid']}:")
        for action in statement["Action"]:
            click.echo(f"  {action}")
    return 0


def _model_actions(types: tuple[str, ...]) -> list[str]:
    if not types:
        return []
    from driftguard.schema import registry

    actions: list[str] = []
    for name in types:
        schema = registry().get(name)
        if schema is None:
            raise InputError(f"there is no resource type {name}.", fix="Types are named AWS::Service::Thing.")
        actions += [*schema.handlers.get("read", ()), *schema.handlers.get("list", ())]
    return actions
