"""Change sets: created, shown, executed."""

from __future__ import annotations

import copy
import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

from driftguard.sandbox.cfn import changes, imports
from driftguard.sandbox.cfn.blueprint import Blueprint, require_capabilities
from driftguard.sandbox.cfn.changes import Live
from driftguard.sandbox.cfn.engine import Engine, acting_principal, guard_exports
from driftguard.sandbox.cfn.requests import template_body
from driftguard.sandbox.cfn.stacks import check_updatable, prepare
from driftguard.sandbox.cfn.state import Stack, find, new_stack, stacks
from driftguard.sandbox.cfn.template import invalid
from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate

# Recorded.
_NOTHING = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


@dataclass(kw_only=True)
class ChangeSet:
    """A planned change and the blueprint it was planned from."""

    id: str
    name: str
    kind: str
    created: dt.datetime
    blueprint: Blueprint
    request: Request
    changes: list[dict[str, Any]] = field(default_factory=list)
    status: str = "CREATE_COMPLETE"
    reason: str | None = None
    execution: str = "AVAILABLE"
    mode: str | None = None
    drift_status: str | None = None
    live: dict[str, Live] | None = None


@operation("cloudformation", "CreateChangeSet")
def create_change_set(context: Context, request: Request) -> Response:
    """Plan a change; nothing but the plan (and, for CREATE, an empty stack) comes to be."""
    name, kind = request["ChangeSetName"], request.get("ChangeSetType") or "UPDATE"
    stack = find(context, request["StackName"])
    fresh = False
    if kind == "CREATE" and (stack is None or not stack.alive):
        stack, fresh = new_stack(context, request["StackName"]), True
        stack.event(context, "REVIEW_IN_PROGRESS", reason="User Initiated")
    elif stack is None:
        raise invalid(f"Stack [{request['StackName']}] does not exist")
    elif kind == "CREATE" and stack.status != "REVIEW_IN_PROGRESS":
        raise invalid(
            f"Stack [{stack.name}] already exists and cannot be created again with the changeSet [{name}]."
        )
    if any(c.name == name for c in stack.change_sets.values()):
        raise ApiError("AlreadyExistsException", f"ChangeSet {name} already exists in stack {stack.name}")
    if kind == "UPDATE":
        check_updatable(stack)
    try:
        found = _plan(context, stack, request, kind)
    except ApiError:
        if fresh:
            del stacks(context)[stack.id]
        raise
    stack.change_sets[found.id] = found
    return {"Id": found.id, "StackId": stack.id}


def _plan(context: Context, stack: Stack, request: Request, kind: str) -> ChangeSet:
    # The stack's own settings change only when the change set is executed.
    draft = copy.copy(stack)
    blueprint = prepare(context, draft, request, template_body(context, request, stack))
    require_capabilities(blueprint, list(request.get("Capabilities") or []), change_set=True)
    mode = request.get("DeploymentMode")
    live = None
    if mode == "REVERT_DRIFT":
        live = changes.look(context, stack)
    rows = changes.plan(stack, blueprint, live)
    if kind == "IMPORT":
        rows = imports.plan(context, stack, blueprint, request, rows)
    found = ChangeSet(
        id=f"arn:{context.partition}:cloudformation:{context.region}:{context.account}:changeSet/"
        f"{request['ChangeSetName']}/{uuid.uuid4()}",
        name=request["ChangeSetName"],
        kind=kind,
        created=context.clock.now(),
        blueprint=blueprint,
        request=dict(request),
        changes=rows,
        mode=mode,
        live=live,
    )
    if live is not None:
        states = {state.status for state in live.values()}
        found.drift_status = "DRIFTED" if states & {"MODIFIED", "DELETED"} else "IN_SYNC"
    same_outputs = blueprint.template.get("Outputs") == stack.template.get("Outputs")
    if not rows and same_outputs and blueprint.tags == stack.tags:
        found.status, found.reason, found.execution = "FAILED", _NOTHING, "UNAVAILABLE"
    return found


def need_change_set(context: Context, request: Request) -> tuple[Stack, ChangeSet]:
    """The change set that a request names.  Raises ApiError ChangeSetNotFound (recorded text)."""
    name, stack_name = request["ChangeSetName"], request.get("StackName")
    if stack_name and find(context, stack_name) is None:
        raise invalid(f"Stack [{stack_name}] does not exist")
    for stack in stacks(context).values():
        for found in stack.change_sets.values():
            if name in (found.id, found.name) and (name == found.id or stack_name in (stack.name, stack.id)):
                return stack, found
    raise ApiError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist")


@operation("cloudformation", "DescribeChangeSet")
def describe_change_set(context: Context, request: Request) -> Response:
    """The plan; values only if IncludePropertyValues is given."""
    stack, found = need_change_set(context, request)
    shown = [found_change(c, values=bool(request.get("IncludePropertyValues"))) for c in found.changes]
    page, more = paginate(shown, request, default=100)
    return {
        "ChangeSetName": found.name,
        "ChangeSetId": found.id,
        "StackId": stack.id,
        "StackName": stack.name,
        "Description": found.request.get("Description"),
        "Parameters": found.blueprint.parameters.shown or None,
        "CreationTime": found.created,
        "ExecutionStatus": found.execution,
        "Status": found.status,
        "StatusReason": found.reason,
        "StackDriftStatus": found.drift_status,
        "NotificationARNs": found.request.get("NotificationARNs") or [],
        "RollbackConfiguration": {},
        "Capabilities": found.request.get("Capabilities") or [],
        "Tags": [{"Key": k, "Value": v} for k, v in found.blueprint.tags.items()] or None,
        "Changes": page,
        "IncludeNestedStacks": bool(found.request.get("IncludeNestedStacks")),
        "DeploymentMode": found.mode,
        **more,
    }


_VALUES = {"BeforeContext", "AfterContext", "PreviousDeploymentContext"}
_TARGET_VALUES = {
    "BeforeValue",
    "AfterValue",
    "BeforeValueFrom",
    "AfterValueFrom",
    "Drift",
    "Path",
    "AttributeChangeType",
}


def found_change(change: dict[str, Any], *, values: bool) -> dict[str, Any]:
    """One of Changes, with or without the values of properties."""
    if not values:
        details = [
            {**d, "Target": {k: v for k, v in d["Target"].items() if k not in _TARGET_VALUES}}
            for d in change["Details"]
        ]
        change = {**{k: v for k, v in change.items() if k not in _VALUES}, "Details": details}
    return {"Type": "Resource", "ResourceChange": change}


@operation("cloudformation", "ListChangeSets")
def list_change_sets(context: Context, request: Request) -> Response:
    """The change sets of a stack that were not executed yet."""
    stack = find(context, request["StackName"])
    if stack is None:
        raise invalid(f"Stack [{request['StackName']}] does not exist")
    rows = [
        {
            "StackId": stack.id,
            "StackName": stack.name,
            "ChangeSetId": c.id,
            "ChangeSetName": c.name,
            "ExecutionStatus": c.execution,
            "Status": c.status,
            "StatusReason": c.reason,
            "CreationTime": c.created,
            "Description": c.request.get("Description"),
            "IncludeNestedStacks": False,
        }
        for c in stack.change_sets.values()
    ]
    page, more = paginate(rows, request, default=100)
    return {"Summaries": page, **more}


@operation("cloudformation", "DeleteChangeSet")
def delete_change_set(context: Context, request: Request) -> Response:
    """Forget a change set; one that is not there is no error."""
    try:
        stack, found = need_change_set(context, request)
    except ApiError as error:
        if error.code == "ChangeSetNotFound":
            return {}
        raise
    del stack.change_sets[found.id]
    return {}


@operation("cloudformation", "ExecuteChangeSet")
def execute_change_set(context: Context, request: Request) -> Response:
    """Do what was planned, on the state of now."""
    stack, found = need_change_set(context, request)
    if found.status != "CREATE_COMPLETE" or found.execution != "AVAILABLE":
        status = found.status if found.status != "CREATE_COMPLETE" else found.execution
        # Recorded: "ChangeSet [arn] cannot be executed in its current status of [FAILED]".
        raise ApiError(
            "InvalidChangeSetStatus",
            f"ChangeSet [{found.id}] cannot be executed in its current status of [{status}]",
        )
    blueprint = prepare(context, stack, found.request, found.blueprint.body)
    if found.kind == "UPDATE":
        guard_exports(context, stack, blueprint)
    with context.acting(acting_principal(context, stack.role_arn)) as acting:
        engine = Engine(acting, stack)
        if found.kind == "CREATE":
            engine.create(blueprint, on_failure=found.request.get("OnStackFailure") or "ROLLBACK")
        elif found.kind == "IMPORT":
            imports.execute(acting, stack, blueprint, found.request)
        else:
            if found.mode == "REVERT_DRIFT":
                _stand_on_live_state(acting, stack)
            engine.update(blueprint, disable_rollback=bool(request.get("DisableRollback")))
    found.execution = "EXECUTE_COMPLETE"
    # A change set that was executed is gone with its stack's other plans: they are out of date.
    stack.change_sets.clear()
    return {}


def _stand_on_live_state(context: Context, stack: Stack) -> None:
    """Make the present state the one that the update starts from, so that it is what gets changed."""
    for logical_id, live in changes.look(context, stack).items():
        resource = stack.resources[logical_id]
        if live.status == "DELETED":
            del stack.resources[logical_id]
        elif live.status == "MODIFIED":
            checked = {str(d["PropertyPath"]).split("/")[1] for d in live.drift["PropertyDifferences"]}
            kept = {k: v for k, v in resource.properties.items() if k not in checked}
            actual = {k: v for k, v in live.actual.items() if k in checked}
            resource.properties = {**kept, **actual}
