"""Terraform: the drift that a plan found, or what a state manages, against the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from driftguard.cli.app import App, pass_app
from driftguard.cli.output import output_option, print_json
from driftguard.cli.tables import table

if TYPE_CHECKING:
    from driftguard.declared.terraform import TerraformDocument, TerraformResource
    from driftguard.declared.terraform_inventory import Inventory
    from driftguard.history.port import Store
    from driftguard.model import ResourceKey


@click.command("terraform", help=__doc__)
@click.argument("file")
@click.option("--account", default="", help="The account of resources that have no ARN.")
@click.option("--region", default="", help="The region of resources that have no ARN.")
@output_option()
@pass_app
def command(app: App, file: str, account: str, region: str, output: str) -> int:
    """FILE is a state, or `terraform show -json` of a state or of a plan (`plan -refresh-only`)."""
    from pathlib import Path

    from driftguard.declared.terraform import TerraformKind, load_terraform

    found = load_terraform(Path(file), account=account, region=region)
    sorted_out = None
    if found.kind is TerraformKind.STATE:
        from driftguard.wiring import Wiring

        with Wiring(app.settings) as wiring:
            sorted_out = _against(wiring.store, found)
    if output == "json":
        print_json(document(found, sorted_out))
    elif sorted_out is None:
        _print_drifts(found)
    else:
        _print_inventory(sorted_out)
    return 1 if found.drifts else 0


def _against(store: Store, found: TerraformDocument) -> Inventory:
    """The state's resources by what the store knows of them."""
    from driftguard.declared.terraform_inventory import inventory
    from driftguard.history.port import Query
    from driftguard.history.query import every

    types = tuple(sorted({one.cloudformation_type for one in found.resources if one.cloudformation_type}))
    present = list(every(store.resources, Query(types=types, limit=10_000))) if types else []
    unmanaged = every(store.drifts, Query(statuses=("UNMANAGED",), limit=10_000))
    gone: set[ResourceKey] = set()
    known = {resource.key for resource in present}
    for one in found.resources:
        for name in filter(None, (one.id, one.arn)):
            gone |= {key for key in store.find_keys(name) if key.identifier == name and key not in known}
    return inventory(found.resources, present, gone=gone, unmanaged=(drift.key for drift in unmanaged))


def document(found: TerraformDocument, sorted_out: Inventory | None) -> dict[str, Any]:
    """The JSON form: drifts as those of a scan, and the inventory of a state."""
    from driftguard.report.document import drift_document

    answer: dict[str, Any] = {
        "file": found.file,
        "kind": found.kind.value,
        "terraform_version": found.terraform_version,
        "drifts": [drift_document(drift) for drift in found.drifts],
    }
    if sorted_out is not None:
        answer["inventory"] = {
            "managed": [_named(one) | {"resource": str(key)} for one, key in sorted_out.managed],
            "deleted": [_named(one) | {"resource": str(key)} for one, key in sorted_out.deleted],
            "not_seen": [_named(one) for one in sorted_out.not_seen],
            "no_type": [_named(one) for one in sorted_out.no_type],
            "unmanaged": [str(key) for key in sorted_out.unmanaged],
        }
    return answer


def _named(one: TerraformResource) -> dict[str, Any]:
    return {
        "address": one.address,
        "type": one.type,
        "resource_type": one.cloudformation_type,
        "id": one.id,
        "arn": one.arn,
    }


def _print_drifts(found: TerraformDocument) -> None:
    from driftguard.report.view import shown

    rows = []
    for drift in found.drifts:
        for one in drift.differences:
            rows.append((drift.status, drift.logical_id, one.path, shown(one.expected), shown(one.actual)))
        if not drift.differences:
            rows.append((drift.status, drift.logical_id, "", "", ""))
    table(("STATUS", "ADDRESS", "PROPERTY", "EXPECTED", "THERE"), rows, "Terraform found no drift.")


def _print_inventory(sorted_out: Inventory) -> None:
    rows = [("DELETED", one.address, one.type, str(key)) for one, key in sorted_out.deleted]
    rows += [("NOT_SEEN", one.address, one.type, one.id or "") for one in sorted_out.not_seen]
    rows += [("UNMANAGED", "", key.type, str(key)) for key in sorted_out.unmanaged]
    table(
        ("WHAT", "ADDRESS", "TYPE", "RESOURCE"), rows, "Everything in the state is there, and nothing else."
    )
    click.echo(
        f"{len(sorted_out.managed)} managed and there, {len(sorted_out.deleted)} deleted, "
        f"{len(sorted_out.not_seen)} never seen by a scan, {len(sorted_out.no_type)} without a CloudFormation "
        f"type, {len(sorted_out.unmanaged)} unmanaged."
    )
