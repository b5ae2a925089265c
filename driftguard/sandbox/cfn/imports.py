"""Resources taken into a stack that exist already (change sets of type IMPORT)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driftguard.sandbox.cfn.blueprint import Blueprint, adapter_in
from driftguard.sandbox.cfn.state import Stack, StackResource
from driftguard.sandbox.cfn.template import invalid
from driftguard.sandbox.core import Context, Request
from driftguard.sandbox.types.base import Adapter


def plan(
    context: Context, stack: Stack, blueprint: Blueprint, request: Request, rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The Changes of an import.  Raises ApiError where the request does not fit the template."""
    wanted = {r["LogicalResourceId"]: r for r in request.get("ResourcesToImport") or []}
    # Texts: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-manually.html
    if any(row["Action"] != "Add" or row["LogicalResourceId"] not in wanted for row in rows):
        raise invalid(
            "As part of the import operation, you cannot modify or add [Resources] to the template "
            "that are not being imported."
        )
    for logical_id in wanted:
        if logical_id not in blueprint.wanted:
            raise invalid(f"Resources [{logical_id}] is missing in the template")
        if blueprint.option(logical_id, "DeletionPolicy") is None:
            raise invalid(
                f"Resources [{logical_id}] must have DeletionPolicy attribute specified in the template"
            )
    changes = []
    for row in rows:
        logical_id = row["LogicalResourceId"]
        physical_id = find_id(
            context, stack, blueprint.type_of(logical_id), wanted[logical_id]["ResourceIdentifier"]
        )
        changes.append({**row, "Action": "Import", "PhysicalResourceId": physical_id})
    return changes


def find_id(context: Context, stack: Stack, type_name: str, identifier: Mapping[str, str]) -> str:
    """The physical id of the resource that an identifier means.  Raises ApiError if there is none."""
    adapter = adapter_in(context, stack, type_name)
    if adapter is None:
        raise invalid(f"Resource type {type_name} is not supported for import.")
    joined = "|".join(identifier.values())
    if adapter.read_or_none(joined) is not None:
        return joined
    for candidate in adapter.list_ids():
        if _matches(adapter, candidate, identifier):
            return candidate
    # Recorded form of the handler's NotFound.
    raise invalid(f"Resource of type '{type_name}' with identifier '{dict(identifier)}' was not found.")


def _matches(adapter: Adapter, id: str, identifier: Mapping[str, str]) -> bool:
    properties = adapter.read_or_none(id) or {}
    return all(str(properties.get(name)) == value for name, value in identifier.items())


def execute(context: Context, stack: Stack, blueprint: Blueprint, request: Request) -> None:
    """Take the resources in as they are; their declared properties are what later drift is measured by."""
    stack.event(context, "IMPORT_IN_PROGRESS", reason="User Initiated")
    stack.body, stack.template = blueprint.body, blueprint.template
    stack.parameters, stack.tags = blueprint.parameters, blueprint.tags
    for entry in request.get("ResourcesToImport") or []:
        logical_id = entry["LogicalResourceId"]
        type_name = blueprint.type_of(logical_id)
        resource = StackResource(
            logical_id=logical_id,
            type_name=type_name,
            status="IMPORT_IN_PROGRESS",
            updated=context.clock.now(),
            physical_id=find_id(context, stack, type_name, entry["ResourceIdentifier"]),
        )
        stack.resources[logical_id] = resource
        stack.event(context, "IMPORT_IN_PROGRESS", resource=resource, reason="Resource import started.")
        resource.properties = blueprint.properties(logical_id)
        stack.event(context, "IMPORT_COMPLETE", resource=resource, reason="Resource import completed.")
    stack.outputs = blueprint.outputs()
    stack.updated = context.clock.now()
    stack.event(context, "IMPORT_COMPLETE")
