"""Print the least-privilege IAM policy that driftguard needs."""

from __future__ import annotations

import click

from driftguard.cli.output import output_option, print_json


@click.command("iam-policy", help=__doc__)
@click.option("--remediate", is_flag=True, help="Add what remediation and publishing need.")
@output_option(default="json")
def command(remediate: bool, output: str) -> int:
    from driftguard.aws import permissions

    document = permissions.policy(remediate=remediate)
    if output == "json":
        print_json(document)
        return 0
    for statement in document["Statement"]:
        click.echo(f"{statement['Sid']}:")
        for action in statement["Action"]:
            click.echo(f"  {action}")
    return 0
