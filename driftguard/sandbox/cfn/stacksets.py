"""Stack sets: what they are, and the operations that create, change and show them."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

from driftguard.sandbox.cfn import parameters
from driftguard.sandbox.cfn.requests import given_parameters, given_tags, template_body
from driftguard.sandbox.cfn.template import load
from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate

ADMINISTRATION_ROLE = "AWSCloudFormationStackSetAdministrationRole"
EXECUTION_ROLE = "AWSCloudFormationStackSetExecutionRole"


@dataclass(kw_only=True)
class Instance:
    """One stack of a stack set, in one account and region."""

    account: str
    region: str
    overrides: dict[str, str] = field(default_factory=dict)
    stack_id: str | None = None
    status: str = "OUTDATED"
    detailed_status: str = "PENDING"
    reason: str | None = None
    unit: str | None = None
    operation_id: str = ""
    drift_status: str = "NOT_CHECKED"
    checked: dt.datetime | None = None


@dataclass(kw_only=True)
class Operation:
    """One run over instances, finished when the call that started it returns."""

    id: str
    action: str
    started: dt.datetime
    ended: dt.datetime | None = None
    status: str = "RUNNING"
    preferences: dict[str, Any] = field(default_factory=dict)
    results: list[dict[str, Any]] = field(default_factory=list)
    drift: dict[str, Any] | None = None
    due: float = 0.0


@dataclass(kw_only=True)
class StackSet:
    """A template, its parameters, and where it is deployed."""

    name: str
    id: str
    arn: str
    body: str
    created: dt.datetime
    description: str | None = None
    texts: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    capabilities: list[str] = field(default_factory=list)
    permission_model: str = "SELF_MANAGED"
    administration_role: str | None = None
    execution_role: str = EXECUTION_ROLE
    auto_deployment: dict[str, Any] = field(default_factory=dict)
    status: str = "ACTIVE"
    instances: dict[tuple[str, str], Instance] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    drift: dict[str, Any] = field(default_factory=lambda: {"DriftStatus": "NOT_CHECKED"})


def stack_sets(context: Context) -> dict[str, StackSet]:
    """The stack sets that are administered from this account and region, by id."""
    return context.store("cfn.stacksets")


def need_set(context: Context, name: str) -> StackSet:
    """An active stack set by name or id.  Raises ApiError StackSetNotFoundException (recorded text)."""
    for found in stack_sets(context).values():
        if found.status == "ACTIVE" and name in (found.name, found.id, found.arn):
            return found
    raise ApiError("StackSetNotFoundException", f"StackSet {name} not found")


@operation("cloudformation", "CreateStackSet")
def create_stack_set(context: Context, request: Request) -> Response:
    """Create a stack set without instances."""
    name = request["StackSetName"]
    if any(s.name == name and s.status == "ACTIVE" for s in stack_sets(context).values()):
        raise ApiError("NameAlreadyExistsException", f"The stack set {name} already exists")
    identity = f"{name}:{uuid.uuid4()}"
    found = StackSet(
        name=name,
        id=identity,
        arn=f"arn:{context.partition}:cloudformation:{context.region}:{context.account}:stackset/{identity}",
        body=template_body(context, request),
        created=context.clock.now(),
    )
    _take(context, found, request)
    stack_sets(context)[found.id] = found
    return {"StackSetId": found.id}


def _take(context: Context, found: StackSet, request: Request) -> None:
    if request.get("TemplateBody") or request.get("TemplateURL"):
        found.body = template_body(context, request)
    if request.get("Parameters") is not None:
        previous = {p["ParameterKey"] for p in request["Parameters"] if p.get("UsePreviousValue")}
        kept = {k: v for k, v in found.texts.items() if k in previous}
        found.texts = {**kept, **given_parameters(request)}
    if request.get("Tags") is not None:
        found.tags = given_tags(request)
    found.description = request.get("Description") or found.description
    found.capabilities = list(request.get("Capabilities") or found.capabilities)
    found.permission_model = request.get("PermissionModel") or found.permission_model
    found.administration_role = request.get("AdministrationRoleARN") or found.administration_role
    found.execution_role = request.get("ExecutionRoleName") or found.execution_role
    found.auto_deployment = request.get("AutoDeployment") or found.auto_deployment
    parameters.bind(load(found.body), found.texts, lambda service, reference: reference)


@operation("cloudformation", "UpdateStackSet")
def update_stack_set(context: Context, request: Request) -> Response:
    """Change a stack set and all its instances, or those of the accounts and regions given."""
    from driftguard.sandbox.cfn.stackset_runs import run, targets

    found = need_set(context, request["StackSetName"])
    _take(context, found, request)
    chosen = targets(context, found, request) if request.get("Regions") else list(found.instances)
    return {"OperationId": run(context, found, "UPDATE", chosen, request).id}


@operation("cloudformation", "DeleteStackSet")
def delete_stack_set(context: Context, request: Request) -> Response:
    """Delete a stack set that has no instances."""
    found = need_set(context, request["StackSetName"])
    if found.instances:
        # Recorded by users of the command line.
        raise ApiError("StackSetNotEmptyException", "StackSet is not empty")
    found.status = "DELETED"
    return {}


@operation("cloudformation", "DescribeStackSet")
def describe_stack_set(context: Context, request: Request) -> Response:
    """One stack set."""
    found = need_set(context, request["StackSetName"])
    declared = load(found.body).get("Parameters") or {}
    hidden = {name for name, spec in declared.items() if str(spec.get("NoEcho", "")).lower() == "true"}
    return {
        "StackSet": {
            "StackSetName": found.name,
            "StackSetId": found.id,
            "StackSetARN": found.arn,
            "Description": found.description,
            "Status": found.status,
            "TemplateBody": found.body,
            "Parameters": [
                {"ParameterKey": k, "ParameterValue": "****" if k in hidden else v}
                for k, v in found.texts.items()
            ],
            "Capabilities": found.capabilities,
            "Tags": [{"Key": k, "Value": v} for k, v in found.tags.items()],
            "AdministrationRoleARN": found.administration_role,
            "ExecutionRoleName": found.execution_role if found.permission_model == "SELF_MANAGED" else None,
            "StackSetDriftDetectionDetails": found.drift,
            "PermissionModel": found.permission_model,
            "AutoDeployment": found.auto_deployment or None,
            "OrganizationalUnitIds": sorted({i.unit for i in found.instances.values() if i.unit}),
            "ManagedExecution": {"Active": False},
            "Regions": sorted({region for _, region in found.instances}),
        }
    }


@operation("cloudformation", "ListStackSets")
def list_stack_sets(context: Context, request: Request) -> Response:
    """Summaries of all stack sets."""
    wanted = request.get("Status")
    rows = [
        {
            "StackSetName": s.name,
            "StackSetId": s.id,
            "Description": s.description,
            "Status": s.status,
            "AutoDeployment": s.auto_deployment or None,
            "PermissionModel": s.permission_model,
            "DriftStatus": s.drift["DriftStatus"],
            "LastDriftCheckTimestamp": s.drift.get("LastDriftCheckTimestamp"),
            "ManagedExecution": {"Active": False},
        }
        for s in stack_sets(context).values()
        if not wanted or s.status == wanted
    ]
    page, more = paginate(rows, request, limit="MaxResults", default=100)
    return {"Summaries": page, **more}


def instance_view(found: StackSet, instance: Instance) -> dict[str, Any]:
    """A StackInstance; a summary is a part of it."""
    return {
        "StackSetId": found.id,
        "Region": instance.region,
        "Account": instance.account,
        "StackId": instance.stack_id,
        "ParameterOverrides": [
            {"ParameterKey": k, "ParameterValue": v} for k, v in instance.overrides.items()
        ],
        "Status": instance.status,
        "StackInstanceStatus": {"DetailedStatus": instance.detailed_status},
        "StatusReason": instance.reason,
        "OrganizationalUnitId": instance.unit,
        "DriftStatus": instance.drift_status,
        "LastDriftCheckTimestamp": instance.checked,
        "LastOperationId": instance.operation_id,
    }


def need_instance(context: Context, request: Request) -> tuple[StackSet, Instance]:
    """The instance that a request names.  Raises ApiError StackInstanceNotFoundException."""
    found = need_set(context, request["StackSetName"])
    account, region = request["StackInstanceAccount"], request["StackInstanceRegion"]
    instance = found.instances.get((account, region))
    if instance is None:
        text = f"Stack instance for stack set {found.id} in account {account} and region {region} not found"
        raise ApiError("StackInstanceNotFoundException", text)
    return found, instance


@operation("cloudformation", "DescribeStackInstance")
def describe_stack_instance(context: Context, request: Request) -> Response:
    """One instance."""
    return {"StackInstance": instance_view(*need_instance(context, request))}


@operation("cloudformation", "ListStackInstances")
def list_stack_instances(context: Context, request: Request) -> Response:
    """All instances, or those of an account, a region, a detailed or drift status."""
    found = need_set(context, request["StackSetName"])
    account, region = request.get("StackInstanceAccount"), request.get("StackInstanceRegion")
    wanted = {f["Name"]: f["Values"] for f in request.get("Filters") or []}
    rows = [
        instance_view(found, i)
        for i in found.instances.values()
        if account in (None, i.account)
        and region in (None, i.region)
        and i.detailed_status == wanted.get("DETAILED_STATUS", i.detailed_status)
        and i.drift_status == wanted.get("DRIFT_STATUS", i.drift_status)
    ]
    page, more = paginate(rows, request, limit="MaxResults", default=100)
    return {"Summaries": page, **more}


def operation_view(found: StackSet, run: Operation) -> dict[str, Any]:
    """A StackSetOperation; a summary is a part of it."""
    return {
        "OperationId": run.id,
        "StackSetId": found.id,
        "Action": run.action,
        "Status": run.status,
        "OperationPreferences": run.preferences,
        "AdministrationRoleARN": found.administration_role,
        "ExecutionRoleName": found.execution_role,
        "CreationTimestamp": run.started,
        "EndTimestamp": run.ended,
        "StackSetDriftDetectionDetails": run.drift,
        "StatusDetails": {"FailedStackInstancesCount": sum(r["Status"] == "FAILED" for r in run.results)},
    }


def need_operation(context: Context, request: Request) -> tuple[StackSet, Operation]:
    """The operation that a request names.  Raises ApiError OperationNotFoundException."""
    from driftguard.sandbox.cfn.stackset_runs import settle

    found = need_set(context, request["StackSetName"])
    settle(context, found)
    run = found.operations.get(request["OperationId"])
    if run is None:
        raise ApiError("OperationNotFoundException", f"Operation {request['OperationId']} not found")
    return found, run


@operation("cloudformation", "DescribeStackSetOperation")
def describe_stack_set_operation(context: Context, request: Request) -> Response:
    """One operation."""
    return {"StackSetOperation": operation_view(*need_operation(context, request))}


@operation("cloudformation", "ListStackSetOperations")
def list_stack_set_operations(context: Context, request: Request) -> Response:
    """All operations, the newest first."""
    from driftguard.sandbox.cfn.stackset_runs import settle

    found = need_set(context, request["StackSetName"])
    settle(context, found)
    runs = [operation_view(found, run) for run in reversed(found.operations.values())]
    page, more = paginate(runs, request, limit="MaxResults", default=100)
    return {"Summaries": page, **more}


@operation("cloudformation", "ListStackSetOperationResults")
def list_stack_set_operation_results(context: Context, request: Request) -> Response:
    """What an operation did in each account and region."""
    _, run = need_operation(context, request)
    page, more = paginate(run.results, request, limit="MaxResults", default=100)
    return {"Summaries": page, **more}
