"""CreateStack, UpdateStack, DeleteStack and the switches of a stack."""

from __future__ import annotations

from driftguard.sandbox.cfn.blueprint import Blueprint, require_capabilities
from driftguard.sandbox.cfn.engine import Engine, acting_principal, guard_exports
from driftguard.sandbox.cfn.requests import given_parameters, given_tags, template_body
from driftguard.sandbox.cfn.state import Stack, check_name, find, need, new_stack, stacks
from driftguard.sandbox.cfn.template import invalid
from driftguard.sandbox.core import ApiError, Context, Request, Response, operation

_UPDATABLE = {
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
    "UPDATE_FAILED",
}


@operation("cloudformation", "CreateStack")
def create_stack(context: Context, request: Request) -> Response:
    """Create a stack; it is there when the call returns, with all its events."""
    name = request["StackName"]
    check_name(name)
    if find(context, name) is not None:
        raise ApiError("AlreadyExistsException", f"Stack [{name}] already exists")
    body = template_body(context, request)
    stack = new_stack(context, name)
    try:
        blueprint = prepare(context, stack, request, body)
        require_capabilities(blueprint, stack.capabilities)
    except ApiError:
        del stacks(context)[stack.id]
        raise
    on_failure = request.get("OnFailure") or ("DO_NOTHING" if request.get("DisableRollback") else "ROLLBACK")
    stack.protected = bool(request.get("EnableTerminationProtection"))
    stack.policy = request.get("StackPolicyBody")
    with context.acting(acting_principal(context, stack.role_arn)) as acting:
        Engine(acting, stack).create(blueprint, on_failure=on_failure)
    return {"StackId": stack.id}


def prepare(context: Context, stack: Stack, request: Request, body: str) -> Blueprint:
    """Take over a request's settings and bind its template."""
    stack.capabilities = list(request.get("Capabilities") or [])
    stack.notification_arns = list(request.get("NotificationARNs") or stack.notification_arns)
    stack.role_arn = request.get("RoleARN") or stack.role_arn
    stack.disable_rollback = bool(request.get("DisableRollback"))
    return Blueprint(context, stack, body, given_parameters(request, stack), given_tags(request, stack))


@operation("cloudformation", "UpdateStack")
def update_stack(context: Context, request: Request) -> Response:
    """Update a stack.  Raises ApiError if nothing would change."""
    stack = need(context, request["StackName"])
    check_updatable(stack)
    blueprint = prepare(context, stack, request, template_body(context, request, stack))
    require_capabilities(blueprint, stack.capabilities)
    if not differs(stack, blueprint):
        raise invalid("No updates are to be performed.")
    guard_exports(context, stack, blueprint)
    with context.acting(acting_principal(context, stack.role_arn)) as acting:
        Engine(acting, stack).update(blueprint, disable_rollback=bool(request.get("DisableRollback")))
    return {"StackId": stack.id}


def check_updatable(stack: Stack) -> None:
    """Raise ApiError (recorded text) where the stack's state forbids an update."""
    if stack.status not in _UPDATABLE:
        raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def differs(stack: Stack, blueprint: Blueprint) -> bool:
    """Whether an update to ``blueprint`` has anything to do."""
    if blueprint.template != stack.template or blueprint.tags != stack.tags:
        return True
    if blueprint.parameters.texts != stack.parameters.texts:
        return True
    return set(blueprint.wanted) != set(stack.resources) or any(
        blueprint.properties(lid) != stack.resources[lid].properties for lid in blueprint.wanted
    )


@operation("cloudformation", "DeleteStack")
def delete_stack(context: Context, request: Request) -> Response:
    """Delete a stack; deleting what is not there succeeds, as in AWS."""
    stack = find(context, request["StackName"])
    if stack is None or not stack.alive:
        return {}
    if stack.protected:
        # Text: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-protect-stacks.html
        raise invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
    guard_exports(context, stack, None)
    with context.acting(acting_principal(context, request.get("RoleARN") or stack.role_arn)) as acting:
        Engine(acting, stack).delete(retain=request.get("RetainResources"))
    return {}


@operation("cloudformation", "UpdateTerminationProtection")
def update_termination_protection(context: Context, request: Request) -> Response:
    """Protect a stack from being deleted, or no longer."""
    stack = need(context, request["StackName"], "Stack [{}] does not exist")
    if stack.parent_id:
        raise invalid(
            f"Cannot update termination protection on nested stack [{stack.name}]; update its root stack."
        )
    stack.protected = bool(request["EnableTerminationProtection"])
    return {"StackId": stack.id}


@operation("cloudformation", "SetStackPolicy")
def set_stack_policy(context: Context, request: Request) -> Response:
    """Keep a stack policy; the engine does not enforce it."""
    stack = need(context, request["StackName"], "Stack [{}] does not exist")
    stack.policy = request.get("StackPolicyBody") or template_body(
        context, {"TemplateURL": request.get("StackPolicyURL")}
    )
    return {}


@operation("cloudformation", "GetStackPolicy")
def get_stack_policy(context: Context, request: Request) -> Response:
    """The stack policy, if there is one."""
    return {"StackPolicyBody": need(context, request["StackName"], "Stack [{}] does not exist").policy}
