"""What a change set would do, resource by resource."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from driftguard.sandbox import schemas
from driftguard.sandbox.cfn import differences, drift
from driftguard.sandbox.cfn.blueprint import UNKNOWN, Blueprint
from driftguard.sandbox.cfn.functions import dependencies
from driftguard.sandbox.cfn.state import Stack, StackResource
from driftguard.sandbox.core import ApiError, Context
from driftguard.sandbox.types.base import Properties


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """How a resource stands now: the StackResourceDrift of this moment."""

    drift: dict[str, Any]

    @property
    def status(self) -> str:
        """IN_SYNC, MODIFIED, DELETED, UNKNOWN or NOT_CHECKED."""
        return str(self.drift["StackResourceDriftStatus"])

    @property
    def actual(self) -> Properties:
        """The live values of the declared properties."""
        found: Properties = json.loads(self.drift.get("ActualProperties", "{}"))
        return found


def look(context: Context, stack: Stack) -> dict[str, Live]:
    """The live state of every resource that CloudFormation can check; the stack's own record stays."""
    found = {}
    for logical_id, resource in stack.resources.items():
        checked = drift.inspect(context, stack, replace(resource))
        if checked is not None:
            found[logical_id] = Live(drift=checked)
    return found


def plan(stack: Stack, blueprint: Blueprint, live: Mapping[str, Live] | None) -> list[dict[str, Any]]:
    """The Changes of a change set from ``stack`` to ``blueprint``.

    With ``live`` it is a drift-aware one (DeploymentMode REVERT_DRIFT): values before are those of now.
    """
    changes = []
    replaced: set[str] = set()
    for logical_id in blueprint.order():
        resource = stack.resources.get(logical_id)
        properties = preview(blueprint, logical_id)
        if resource is None:
            changes.append(_add(blueprint.type_of(logical_id), logical_id, properties))
            continue
        state = live.get(logical_id) if live else None
        if state and state.status == "DELETED":
            # Invented: how AWS shows the re-creation of a deleted resource is not recorded anywhere known.
            changes.append(
                {**_add(resource.type_name, logical_id, properties), "ResourceDriftStatus": "DELETED"}
            )
            replaced.add(logical_id)
            continue
        change = _modify(stack, blueprint, resource, properties, state, replaced)
        if change:
            if change["Replacement"] == "True":
                replaced.add(logical_id)
            changes.append(change)
    changes += [_remove(resource) for lid, resource in stack.resources.items() if lid not in blueprint.wanted]
    return changes


def preview(blueprint: Blueprint, logical_id: str) -> Properties:
    """Properties as far as they can be known before anything is created."""
    try:
        return blueprint.properties(logical_id)
    except (ApiError, ValueError, IndexError, KeyError):
        # A function of something that does not exist yet.
        raw = blueprint.template["Resources"][logical_id].get("Properties") or {}
        return dict.fromkeys(raw, UNKNOWN)


def _add(type_name: str, logical_id: str, properties: Properties) -> dict[str, Any]:
    return {
        "Action": "Add",
        "LogicalResourceId": logical_id,
        "ResourceType": type_name,
        "Scope": [],
        "Details": [],
        "AfterContext": _context(properties),
    }


def _remove(resource: StackResource) -> dict[str, Any]:
    return {
        "Action": "Remove",
        "PolicyAction": "Delete",
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.type_name,
        "Scope": [],
        "Details": [],
        "BeforeContext": _context(resource.properties),
    }


def _context(properties: Properties) -> str:
    return json.dumps({"Properties": properties}, separators=(",", ":"), default=str)


def _modify(
    stack: Stack,
    blueprint: Blueprint,
    resource: StackResource,
    properties: Properties,
    live: Live | None,
    replaced: set[str],
) -> dict[str, Any] | None:
    type_name = blueprint.type_of(resource.logical_id)
    details = _details(stack, blueprint, resource, properties)
    if live and live.status == "MODIFIED":
        details = _drift_details(resource, properties, live, details)
    details += _references(blueprint, resource, replaced, {d["Target"]["Name"] for d in details})
    if not details and type_name == resource.type_name:
        return None
    recreation = {d["Target"]["RequiresRecreation"] for d in details}
    replacement = "Conditional" if recreation & {"Conditionally", "Always"} else "False"
    if type_name != resource.type_name or any(
        d["Target"]["RequiresRecreation"] == "Always" and d["Evaluation"] == "Static" for d in details
    ):
        replacement = "True"
    kinds = {d["Target"].get("AttributeChangeType") for d in details}
    change: dict[str, Any] = {
        "Action": "SyncWithActual" if kinds == {"SyncWithActual"} else "Modify",
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.type_name,
        "Replacement": replacement,
        "Scope": sorted({"Tags" if d["Target"]["Name"] == "Tags" else "Properties" for d in details}),
        "Details": details,
        "BeforeContext": _context(live.actual if live and live.status == "MODIFIED" else resource.properties),
        "AfterContext": _context(properties),
    }
    if replacement == "True":
        change["PolicyAction"] = "ReplaceAndDelete"
    if live:
        change["ResourceDriftStatus"] = live.status
        change["PreviousDeploymentContext"] = _context(resource.properties)
        change["ResourceDriftIgnoredAttributes"] = _ignored(resource)
    return change


def _ignored(resource: StackResource) -> list[dict[str, str]]:
    schema = schemas.schema_of(resource.type_name)
    if schema is None:
        return []
    names = sorted({pointer[0] for pointer in schema.write_only} & set(resource.properties))
    return [{"Path": f"/{name}", "Reason": "WRITE_ONLY_PROPERTY"} for name in names]


def _details(
    stack: Stack, blueprint: Blueprint, resource: StackResource, properties: Properties
) -> list[dict[str, Any]]:
    found = []
    raw = blueprint.template["Resources"][resource.logical_id].get("Properties") or {}
    texts = blueprint.parameters.texts
    changed = {name for name in texts if texts[name] != stack.parameters.texts.get(name)}
    for name in sorted({*properties, *resource.properties}):
        before, after = resource.properties.get(name), properties.get(name)
        if before == after:
            continue
        kind = "Add" if name not in resource.properties else "Remove" if name not in properties else "Modify"
        causes = sorted(changed & dependencies(raw.get(name)))
        detail: dict[str, Any] = {
            "Target": {
                "Attribute": "Tags" if name == "Tags" else "Properties",
                "Name": name,
                "Path": f"/Properties/{name}",
                "RequiresRecreation": schemas.replaces(resource.type_name, name),
                "AttributeChangeType": kind,
                **({} if before is None else {"BeforeValue": differences.as_value(before)}),
                **({} if after is None else {"AfterValue": differences.as_value(after)}),
            },
            "Evaluation": "Static",
            "ChangeSource": "ParameterReference" if causes else "DirectModification",
        }
        if causes:
            detail["CausingEntity"] = causes[0]
        found.append(detail)
    return found


def _drift_details(
    resource: StackResource, properties: Properties, live: Live, details: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Details of the properties that have drifted, in place of what the template alone would say."""
    now = live.drift["Timestamp"]
    names = sorted({str(d["PropertyPath"]).split("/")[1] for d in live.drift.get("PropertyDifferences", [])})
    kept = [d for d in details if d["Target"]["Name"] not in names]
    for name in names:
        before, after, actual = resource.properties.get(name), properties.get(name), live.actual.get(name)
        kind = "Modify" if actual is not None and after is not None else "Remove" if after is None else "Add"
        if differences.same(after, actual):
            kind = "SyncWithActual"
        kept.append(
            {
                "Target": {
                    "Attribute": "Tags" if name == "Tags" else "Properties",
                    "Name": name,
                    "Path": f"/Properties/{name}",
                    "RequiresRecreation": schemas.replaces(resource.type_name, name),
                    "AttributeChangeType": kind,
                    **({} if actual is None else {"BeforeValue": differences.as_value(actual)}),
                    **({} if after is None else {"AfterValue": differences.as_value(after)}),
                    "BeforeValueFrom": "ACTUAL_STATE",
                    "AfterValueFrom": "TEMPLATE",
                    "Drift": {
                        "PreviousValue": differences.as_value(before),
                        "ActualValue": differences.as_value(actual),
                        "DriftDetectionTimestamp": now,
                    },
                },
                "Evaluation": "Static",
                "ChangeSource": "NoModification" if before == after else "DirectModification",
            }
        )
    return kept


def _references(
    blueprint: Blueprint, resource: StackResource, replaced: set[str], known: Iterable[str]
) -> list[dict[str, Any]]:
    """Properties that refer to a resource which gets a new id."""
    raw = blueprint.template["Resources"][resource.logical_id].get("Properties") or {}
    known = set(known)
    return [
        {
            "Target": {
                "Attribute": "Properties",
                "Name": name,
                "Path": f"/Properties/{name}",
                "RequiresRecreation": schemas.replaces(resource.type_name, name),
                "AttributeChangeType": "Modify",
                "AfterValue": UNKNOWN,
            },
            "Evaluation": "Dynamic",
            "ChangeSource": "ResourceReference",
            "CausingEntity": sorted(replaced & dependencies(value))[0],
        }
        for name, value in raw.items()
        if name not in known and replaced & dependencies(value)
    ]
