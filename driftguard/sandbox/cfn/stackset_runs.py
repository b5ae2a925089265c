"""Stack set operations at work: instances created, updated, deleted, and checked for drift."""

from __future__ import annotations

import uuid
from typing import Any

from botocore.exceptions import ClientError

from driftguard.sandbox.cfn import drift as stack_drift
from driftguard.sandbox.cfn.blueprint import Blueprint, require_capabilities
from driftguard.sandbox.cfn.engine import Engine
from driftguard.sandbox.cfn.requests import given_parameters
from driftguard.sandbox.cfn.stacks import differs
from driftguard.sandbox.cfn.stacksets import (
    ADMINISTRATION_ROLE,
    Instance,
    Operation,
    StackSet,
    need_instance,
    need_set,
)
from driftguard.sandbox.cfn.state import Stack, find, new_stack
from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate
from driftguard.sandbox.identity import assumed_role, trusts

Target = tuple[str, str]


def targets(context: Context, found: StackSet, request: Request) -> list[Target]:
    """The accounts and regions that a request means.  Units are looked up in the organization."""
    wanted = request.get("DeploymentTargets") or {}
    accounts = list(request.get("Accounts") or wanted.get("Accounts") or [])
    for unit in wanted.get("OrganizationalUnitIds") or []:
        members = _accounts_of(context, unit)
        listed = set(wanted.get("Accounts") or ())
        kind = wanted.get("AccountFilterType", "NONE")
        if kind == "INTERSECTION":
            members = [m for m in members if m in listed]
        elif kind == "DIFFERENCE":
            members = [m for m in members if m not in listed]
            accounts = [a for a in accounts if a not in listed]
        accounts += [m for m in members if m not in accounts]
    if not accounts:
        raise ApiError("ValidationError", "You must specify at least one account or organizational unit.")
    return [(account, region) for region in request.get("Regions") or [] for account in accounts]


def _accounts_of(context: Context, unit: str) -> list[str]:
    """The accounts in a unit and below, the management account left out as by service-managed sets."""
    client = context.client("organizations", region="us-east-1", account=context.world.accounts[0])
    rows = client.list_accounts_for_parent(ParentId=unit)["Accounts"]
    found = [row["Id"] for row in rows if row["Id"] != context.world.accounts[0]]
    for child in client.list_organizational_units_for_parent(ParentId=unit)["OrganizationalUnits"]:
        found += _accounts_of(context, child["Id"])
    return found


def run(context: Context, found: StackSet, action: str, chosen: list[Target], request: Request) -> Operation:
    """Do ``action`` (CREATE, UPDATE, DELETE) on the chosen instances and record it as an operation."""
    job = _begin(context, found, action, request)
    for account, region in chosen:
        instance = found.instances.get((account, region))
        if instance is None:
            continue
        instance.operation_id = job.id
        try:
            _enter(context, found, account)
            _act(context, found, action, instance, keep=bool(request.get("RetainStacks")))
            status, reason = "SUCCEEDED", None
        except ApiError as error:
            status, reason = "FAILED", error.message
            instance.status, instance.detailed_status, instance.reason = "OUTDATED", "FAILED", reason
        job.results.append(
            {
                "Account": account,
                "Region": region,
                "Status": status,
                "StatusReason": reason,
                "OrganizationalUnitId": instance.unit,
            }
        )
    job.status = "FAILED" if any(r["Status"] == "FAILED" for r in job.results) else "SUCCEEDED"
    job.ended = context.clock.now()
    return job


def _begin(context: Context, found: StackSet, action: str, request: Request) -> Operation:
    settle(context, found)
    if any(job.status == "RUNNING" for job in found.operations.values()):
        # Recorded by users of the command line.
        text = f"Another Operation on StackSet {found.arn} is in progress"
        raise ApiError("OperationInProgressException", text)
    job = Operation(
        id=request.get("OperationId") or str(uuid.uuid4()),
        action=action,
        started=context.clock.now(),
        preferences=request.get("OperationPreferences") or {},
    )
    found.operations[job.id] = job
    return job


def _enter(context: Context, found: StackSet, account: str) -> None:
    """Check the roles of a self-managed set.

    Text: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-troubleshooting.html
    """
    if found.permission_model == "SERVICE_MANAGED":
        return
    given = (
        found.administration_role
        or f"arn:{context.partition}:iam::{context.account}:role/{ADMINISTRATION_ROLE}"
    )
    name = given.rsplit("/", 1)[-1]
    if _trust(context, context.account, name) is None:
        raise ApiError(
            "ValidationError",
            f"Account {context.account} should have '{name}' role with trust relationship to CloudFormation service.",
        )
    trust = _trust(context, account, found.execution_role)
    if trust is None or not trusts(trust, assumed_role(given, "stackset"), None):
        raise ApiError(
            "ValidationError",
            f"Account {account} should have '{found.execution_role}' role with trust relationship to Role '{name}'.",
        )


def _trust(context: Context, account: str, role: str) -> Any:
    try:
        answer = context.client("iam", account=account).get_role(RoleName=role)
    except ClientError:
        return None
    return answer["Role"]["AssumeRolePolicyDocument"]


def _act(context: Context, found: StackSet, action: str, instance: Instance, *, keep: bool) -> None:
    role = found.execution_role
    if found.permission_model == "SERVICE_MANAGED":
        role = "stacksets-exec-" + found.id.rsplit("-", 1)[-1]
    arn = f"arn:{context.partition}:iam::{instance.account}:role/{role}"
    place = context.at(account=instance.account, region=instance.region)
    with place.acting(assumed_role(arn, context.account)) as acting:
        if action == "DELETE":
            _delete(acting, found, instance, keep=keep)
        else:
            _deploy(acting, found, instance)


def _deploy(context: Context, found: StackSet, instance: Instance) -> None:
    stack = find(context, instance.stack_id) if instance.stack_id else None
    fresh = stack is None or not stack.alive
    if fresh:
        stack = new_stack(context, f"StackSet-{found.name}-{uuid.uuid4()}")
        stack.capabilities = list(found.capabilities)
    assert stack is not None
    blueprint = Blueprint(context, stack, found.body, {**found.texts, **instance.overrides}, found.tags)
    require_capabilities(blueprint, found.capabilities)
    instance.stack_id = stack.id
    if fresh:
        Engine(context, stack).create(blueprint)
    elif differs(stack, blueprint):
        Engine(context, stack).update(blueprint)
    if stack.status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        # Recorded form: "ResourceLogicalId:X, ResourceType:Y, ResourceStatusReason:Z."
        raise ApiError("ValidationError", _first_failure(stack))
    instance.status, instance.detailed_status, instance.reason = "CURRENT", "SUCCEEDED", None


def _first_failure(stack: Stack) -> str:
    failed = [
        e for e in stack.events if str(e["ResourceStatus"]).endswith("FAILED") and e["ResourceStatusReason"]
    ]
    if not failed:
        return f"Stack {stack.name} is in {stack.status} state."
    event = failed[-1]
    return (
        f"ResourceLogicalId:{event['LogicalResourceId']}, ResourceType:{event['ResourceType']}, "
        f"ResourceStatusReason:{event['ResourceStatusReason']}."
    )


def _delete(context: Context, found: StackSet, instance: Instance, *, keep: bool) -> None:
    stack = find(context, instance.stack_id) if instance.stack_id else None
    if stack is not None and stack.alive and not keep:
        Engine(context, stack).delete()
        if stack.alive:
            raise ApiError("ValidationError", _first_failure(stack))
    del found.instances[(instance.account, instance.region)]


@operation("cloudformation", "CreateStackInstances")
def create_stack_instances(context: Context, request: Request) -> Response:
    """Deploy a stack set to accounts and regions; those that are there stay as they are."""
    found = need_set(context, request["StackSetName"])
    chosen = targets(context, found, request)
    overrides = given_parameters({"Parameters": request.get("ParameterOverrides")})
    units = (request.get("DeploymentTargets") or {}).get("OrganizationalUnitIds") or [None]
    for account, region in chosen:
        fresh = Instance(account=account, region=region, overrides=overrides, unit=units[0])
        found.instances.setdefault((account, region), fresh)
    return {"OperationId": run(context, found, "CREATE", chosen, request).id}


@operation("cloudformation", "UpdateStackInstances")
def update_stack_instances(context: Context, request: Request) -> Response:
    """Change the parameter overrides of instances."""
    found = need_set(context, request["StackSetName"])
    chosen = targets(context, found, request)
    for target in chosen:
        if target in found.instances:
            given = given_parameters({"Parameters": request.get("ParameterOverrides")})
            found.instances[target].overrides = given
    return {"OperationId": run(context, found, "UPDATE", chosen, request).id}


@operation("cloudformation", "DeleteStackInstances")
def delete_stack_instances(context: Context, request: Request) -> Response:
    """Take a stack set out of accounts and regions, with its stacks unless they are retained."""
    found = need_set(context, request["StackSetName"])
    chosen = targets(context, found, request)
    return {"OperationId": run(context, found, "DELETE", chosen, request).id}


@operation("cloudformation", "DetectStackSetDrift")
def detect_stack_set_drift(context: Context, request: Request) -> Response:
    """Start a drift detection of all instances; it takes ``timing["drift"]`` seconds of the clock."""
    found = need_set(context, request["StackSetName"])
    job = _begin(context, found, "DETECT_DRIFT", request)
    job.due = context.clock.timestamp() + context.world.timing["drift"]
    job.drift = {
        "DriftStatus": "NOT_CHECKED",
        "DriftDetectionStatus": "IN_PROGRESS",
        "TotalStackInstancesCount": len(found.instances),
        "InProgressStackInstancesCount": len(found.instances),
    }
    settle(context, found)
    return {"OperationId": job.id}


def settle(context: Context, found: StackSet) -> None:
    """Finish a drift detection whose time has come."""
    for job in found.operations.values():
        if job.action == "DETECT_DRIFT" and job.status == "RUNNING" and context.clock.timestamp() >= job.due:
            _check_all(context, found, job)


def _check_all(context: Context, found: StackSet, job: Operation) -> None:
    counts = {"DRIFTED": 0, "IN_SYNC": 0}
    failed = 0
    for instance in found.instances.values():
        place = context.at(account=instance.account, region=instance.region)
        stack = find(place, instance.stack_id) if instance.stack_id else None
        if stack is None or not stack.alive:
            failed += 1
            job.results.append(_result(instance, "FAILED", "Stack does not exist"))
            continue
        for resource in stack.resources.values():
            stack_drift.inspect(place, stack, resource)
        drifted = any(
            r.drift and r.drift["StackResourceDriftStatus"] in ("MODIFIED", "DELETED")
            for r in stack.resources.values()
        )
        instance.drift_status = "DRIFTED" if drifted else "IN_SYNC"
        instance.checked = context.clock.now()
        stack.drift = {"StackDriftStatus": instance.drift_status, "LastCheckTimestamp": instance.checked}
        counts[instance.drift_status] += 1
        job.results.append(_result(instance, "SUCCEEDED", None))
    job.drift = {
        "DriftStatus": "DRIFTED" if counts["DRIFTED"] else "IN_SYNC",
        "DriftDetectionStatus": "FAILED" if failed else "COMPLETED",
        "LastDriftCheckTimestamp": context.clock.now(),
        "TotalStackInstancesCount": len(found.instances),
        "DriftedStackInstancesCount": counts["DRIFTED"],
        "InSyncStackInstancesCount": counts["IN_SYNC"],
        "InProgressStackInstancesCount": 0,
        "FailedStackInstancesCount": failed,
    }
    found.drift = job.drift
    job.status, job.ended = "FAILED" if failed else "SUCCEEDED", context.clock.now()


def _result(instance: Instance, status: str, reason: str | None) -> dict[str, Any]:
    return {
        "Account": instance.account,
        "Region": instance.region,
        "Status": status,
        "StatusReason": reason,
        "OrganizationalUnitId": instance.unit,
    }


@operation("cloudformation", "ListStackInstanceResourceDrifts")
def list_stack_instance_resource_drifts(context: Context, request: Request) -> Response:
    """What a stack set's drift detection found in one instance."""
    found, instance = need_instance(context, request)
    if request["OperationId"] not in found.operations:
        raise ApiError("OperationNotFoundException", f"Operation {request['OperationId']} not found")
    stack = find(context.at(account=instance.account, region=instance.region), instance.stack_id or "")
    wanted = request.get("StackInstanceResourceDriftStatuses")
    rows = []
    for resource in stack.resources.values() if stack else ():
        checked = resource.drift
        if checked and (not wanted or checked["StackResourceDriftStatus"] in wanted):
            rows.append({**checked, "PropertyDifferences": checked.get("PropertyDifferences", [])})
    page, more = paginate(rows, request, limit="MaxResults", default=100)
    return {"Summaries": page, **more}
