"""Stacks, resources, events and exports as CloudFormation shows them."""

from __future__ import annotations

import json
from typing import Any

from driftguard.sandbox.cfn import template as templates
from driftguard.sandbox.cfn.blueprint import Blueprint
from driftguard.sandbox.cfn.requests import template_body
from driftguard.sandbox.cfn.state import Stack, StackResource, need, stacks
from driftguard.sandbox.cfn.template import invalid
from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate

_PAGE = 100
"""Stacks, events and resources on a page: API reference of DescribeStacks and its siblings."""


def stack_view(stack: Stack) -> dict[str, Any]:
    """A Stack structure."""
    description = stack.template.get("Description")
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "Description": ascii_only(str(description)) if description else None,
        "Parameters": stack.parameters.shown or None,
        "CreationTime": stack.created,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason,
        "RollbackConfiguration": {},
        "DisableRollback": stack.disable_rollback,
        "NotificationARNs": stack.notification_arns,
        "Capabilities": stack.capabilities or None,
        "Outputs": stack.outputs or None,
        "RoleARN": stack.role_arn,
        "Tags": [{"Key": k, "Value": v} for k, v in stack.tags.items()],
        "EnableTerminationProtection": stack.protected,
        "ParentId": stack.parent_id,
        "RootId": stack.root_id,
        "DriftInformation": stack.drift,
    }


def ascii_only(text: str) -> str:
    """CloudFormation keeps templates in ASCII: everything else comes back as a question mark
    (https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1220)."""
    return text.encode("ascii", "replace").decode()


def resource_view(stack: Stack, resource: StackResource, *, form: str) -> dict[str, Any]:
    """A StackResource (``form`` "resource"), StackResourceDetail ("detail") or -Summary ("summary")."""
    drift: dict[str, Any] = {"StackResourceDriftStatus": "NOT_CHECKED"}
    if resource.drift:
        drift = {
            "StackResourceDriftStatus": resource.drift["StackResourceDriftStatus"],
            "LastCheckTimestamp": resource.drift["Timestamp"],
        }
    view: dict[str, Any] = {
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.type_name,
        "ResourceStatus": resource.status,
        "ResourceStatusReason": resource.reason,
        "DriftInformation": drift,
        "Timestamp" if form == "resource" else "LastUpdatedTimestamp": resource.updated,
    }
    if form != "summary":
        view |= {"StackName": stack.name, "StackId": stack.id}
    if form == "detail":
        metadata = stack.template.get("Resources", {}).get(resource.logical_id, {}).get("Metadata", {})
        view["Metadata"] = json.dumps(metadata)
    return view


@operation("cloudformation", "DescribeStacks")
def describe_stacks(context: Context, request: Request) -> Response:
    """One stack (by id also a deleted one), or all that are there."""
    if name := request.get("StackName"):
        return {"Stacks": [stack_view(need(context, name))]}
    alive = [s for s in reversed(stacks(context).values()) if s.alive]
    page, more = paginate(alive, request, default=_PAGE)
    return {"Stacks": [stack_view(s) for s in page], **more}


@operation("cloudformation", "ListStacks")
def list_stacks(context: Context, request: Request) -> Response:
    """Summaries, deleted stacks included, filtered by status."""
    wanted = request.get("StackStatusFilter")
    found = [s for s in reversed(stacks(context).values()) if not wanted or s.status in wanted]
    page, more = paginate(found, request, default=_PAGE)
    summaries = []
    for stack in page:
        view = stack_view(stack)
        view["TemplateDescription"] = view["Description"]
        summaries.append(view)
    return {"StackSummaries": summaries, **more}


@operation("cloudformation", "DescribeStackResources")
def describe_stack_resources(context: Context, request: Request) -> Response:
    """Up to 100 resources of a stack, or those with a physical id."""
    logical_id, physical_id = request.get("LogicalResourceId"), request.get("PhysicalResourceId")
    if name := request.get("StackName"):
        found = [(need(context, name), r) for r in need(context, name).resources.values()]
    else:
        of = [s for s in stacks(context).values() if s.alive]
        found = [(s, r) for s in of for r in s.resources.values() if r.physical_id == physical_id]
        if not found:
            raise invalid(f"Stack for {physical_id} does not exist")
        found = [(s, r) for s in {s.id: s for s, _ in found}.values() for r in s.resources.values()]
    rows = [
        resource_view(stack, resource, form="resource")
        for stack, resource in found
        if logical_id in (None, resource.logical_id)
    ]
    return {"StackResources": rows[:100]}


@operation("cloudformation", "ListStackResources")
def list_stack_resources(context: Context, request: Request) -> Response:
    """All resources of a stack."""
    stack = need(context, request["StackName"])
    page, more = paginate(list(stack.resources.values()), request, default=_PAGE)
    return {"StackResourceSummaries": [resource_view(stack, r, form="summary") for r in page], **more}


@operation("cloudformation", "DescribeStackResource")
def describe_stack_resource(context: Context, request: Request) -> Response:
    """One resource of a stack."""
    stack = need(context, request["StackName"], "Stack '{}' does not exist")
    resource = stack.resources.get(request["LogicalResourceId"])
    if resource is None:
        raise invalid(
            f"Resource {request['LogicalResourceId']} does not exist for stack {request['StackName']}"
        )
    return {"StackResourceDetail": resource_view(stack, resource, form="detail")}


@operation("cloudformation", "DescribeStackEvents")
def describe_stack_events(context: Context, request: Request) -> Response:
    """Everything that happened, the newest first."""
    stack = need(context, request["StackName"], "Stack [{}] does not exist")
    page, more = paginate(stack.events, request, default=_PAGE)
    return {"StackEvents": page, **more}


@operation("cloudformation", "GetTemplate")
def get_template(context: Context, request: Request) -> Response:
    """The template as given, or after its transforms."""
    if name := request.get("ChangeSetName"):
        body, processed = _change_set_template(context, request.get("StackName"), name)
    else:
        stack = need(context, request["StackName"])
        body, processed = stack.body, stack.template
    stages = ["Original", "Processed"]
    if request.get("TemplateStage") == "Processed" and "Transform" in templates.load(body):
        return {"TemplateBody": ascii_only(json.dumps(processed)), "StagesAvailable": stages}
    return {"TemplateBody": ascii_only(body), "StagesAvailable": stages}


def _change_set_template(context: Context, stack_name: str | None, name: str) -> tuple[str, Any]:
    for stack in stacks(context).values():
        for change_set in stack.change_sets.values():
            if name in (change_set.id, change_set.name) and stack_name in (None, stack.name, stack.id):
                return change_set.blueprint.body, change_set.blueprint.template
    raise ApiError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist")


@operation("cloudformation", "ListExports")
def list_exports(context: Context, request: Request) -> Response:
    """All exports of the account and region."""
    rows = [
        {"ExportingStackId": s.id, "Name": o["ExportName"], "Value": o["OutputValue"]}
        for s in stacks(context).values()
        if s.alive
        for o in s.outputs
        if "ExportName" in o
    ]
    page, more = paginate(rows, request, default=_PAGE)
    return {"Exports": page, **more}


@operation("cloudformation", "ListImports")
def list_imports(context: Context, request: Request) -> Response:
    """The stacks that import an export."""
    name = request["ExportName"]
    users = [s.name for s in stacks(context).values() if s.alive and name in s.imports]
    if not users:
        # Recorded by users of the command line.
        raise invalid(f"Export '{name}' is not imported by any stack.")
    page, more = paginate(users, request, default=_PAGE)
    return {"Imports": page, **more}


@operation("cloudformation", "ValidateTemplate")
def validate_template(context: Context, request: Request) -> Response:
    """Parameters, description and capabilities of a template that parses."""
    summary = _summary(context, {**request, "StackName": None})
    fields = ("ParameterKey", "DefaultValue", "NoEcho", "Description")
    return {
        "Parameters": [{k: p[k] for k in fields if k in p} for p in summary["Parameters"]],
        **{
            k: summary.get(k)
            for k in ("Description", "Capabilities", "CapabilitiesReason", "DeclaredTransforms")
        },
    }


@operation("cloudformation", "GetTemplateSummary")
def get_template_summary(context: Context, request: Request) -> Response:
    """What a template or the template of a stack declares."""
    return _summary(context, request)


def _summary(context: Context, request: Request) -> Response:
    stack = need(context, request["StackName"]) if request.get("StackName") else None
    body = stack.body if stack else template_body(context, request)
    content = templates.load(body)
    capabilities = Blueprint.capabilities_of(content)
    return {
        "Parameters": [_declaration(name, spec) for name, spec in (content.get("Parameters") or {}).items()],
        "Description": content.get("Description"),
        "Capabilities": capabilities or None,
        "CapabilitiesReason": _because(content, capabilities),
        "ResourceTypes": sorted({r["Type"] for r in content["Resources"].values() if isinstance(r, dict)}),
        "Version": content.get("AWSTemplateFormatVersion"),
        "Metadata": json.dumps(content["Metadata"]) if "Metadata" in content else None,
        "DeclaredTransforms": templates.transforms(content),
        "ResourceIdentifierSummaries": [],
    }


def _because(content: dict[str, Any], capabilities: list[str]) -> str | None:
    names = [r["Type"] for r in content["Resources"].values() if isinstance(r, dict)]
    iam = sorted({name for name in names if name.startswith("AWS::IAM::")})
    return (
        f"The following resource(s) require capabilities: [{', '.join(iam)}]"
        if capabilities and iam
        else None
    )


def _declaration(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    default = spec.get("Default")
    return {
        "ParameterKey": name,
        **({"DefaultValue": str(default)} if default is not None else {}),
        "ParameterType": str(spec.get("Type", "String")),
        "NoEcho": str(spec.get("NoEcho", False)).lower() == "true",
        **({"Description": spec["Description"]} if "Description" in spec else {}),
        "ParameterConstraints": {"AllowedValues": [str(v) for v in spec["AllowedValues"]]}
        if "AllowedValues" in spec
        else {},
    }
