"""Stacks created, updated, rolled back and deleted, resource by resource."""

from __future__ import annotations

import copy
import random
import string
import uuid
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from driftguard.sandbox import schemas
from driftguard.sandbox.cfn.blueprint import Blueprint, adapter_in
from driftguard.sandbox.cfn.state import Stack, StackResource, stacks
from driftguard.sandbox.cfn.template import invalid
from driftguard.sandbox.core import ApiError, Context, Principal
from driftguard.sandbox.identity import assumed_role
from driftguard.sandbox.types.base import Adapter, Properties, is_gone

_random = random.Random(20)  # noqa: S311 - names, not secrets
SERVICE = "cloudformation.amazonaws.com"


class ResourceFailedError(Exception):
    """A resource could not be brought to where it should be; the stack rolls back."""

    def __init__(self, logical_id: str, reason: str) -> None:
        super().__init__(reason)
        self.logical_id = logical_id
        self.reason = reason


class Engine:
    """Works on one stack for one call."""

    def __init__(self, context: Context, stack: Stack) -> None:
        self._context = context
        self._stack = stack

    def create(self, blueprint: Blueprint, *, on_failure: str = "ROLLBACK") -> None:
        """Create every resource; on failure ROLLBACK, DELETE or DO_NOTHING."""
        stack = self._stack
        stack.event(self._context, "CREATE_IN_PROGRESS", reason="User Initiated")
        self._adopt(blueprint)
        failed = self._guarded(lambda: self._create_all(blueprint, blueprint.order()))
        if failed is None:
            stack.outputs = blueprint.outputs()
            stack.event(self._context, "CREATE_COMPLETE")
            return
        said = f"The following resource(s) failed to create: [{failed.logical_id}]. "
        if on_failure == "DO_NOTHING":
            stack.event(self._context, "CREATE_FAILED", reason=said)
            return
        if on_failure == "DELETE":
            stack.event(self._context, "DELETE_IN_PROGRESS", reason=said + "Delete requested by user.")
            self._delete_all()
            self._settle_delete("DELETE")
            return
        stack.event(self._context, "ROLLBACK_IN_PROGRESS", reason=said + "Rollback requested by user.")
        self._delete_all(keep_records=True)
        stack.event(self._context, "ROLLBACK_COMPLETE")

    def update(self, blueprint: Blueprint, *, disable_rollback: bool = False) -> None:
        """Move the stack to ``blueprint``; on failure everything goes back."""
        stack, context = self._stack, self._context
        before = (stack.body, stack.template, stack.parameters, stack.tags, set(stack.imports))
        old_resources = {lid: copy.deepcopy(r) for lid, r in stack.resources.items()}
        stack.event(context, "UPDATE_IN_PROGRESS", reason="User Initiated")
        self._adopt(blueprint)
        undo: list[Callable[[], None]] = []
        leftovers: list[StackResource] = []
        failed = self._guarded(lambda: self._update_all(blueprint, undo, leftovers))
        if failed is None:
            gone = [lid for lid in stack.resources if lid not in blueprint.wanted]
            stack.outputs = blueprint.outputs()
            stack.event(context, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            self._clean_up(leftovers, gone, old_resources)
            stack.updated = context.clock.now()
            stack.event(context, "UPDATE_COMPLETE")
            return
        said = f"The following resource(s) failed to update: [{failed.logical_id}]. "
        if disable_rollback:
            stack.event(context, "UPDATE_FAILED", reason=said)
            return
        stack.event(context, "UPDATE_ROLLBACK_IN_PROGRESS", reason=said)
        for step in reversed(undo):
            step()
        stack.body, stack.template, stack.parameters, stack.tags, stack.imports = before
        stack.resources = old_resources
        stack.event(context, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        stack.event(context, "UPDATE_ROLLBACK_COMPLETE")

    def delete(self, *, retain: list[str] | None = None) -> None:
        """Delete every resource but those to be retained."""
        self._stack.event(self._context, "DELETE_IN_PROGRESS", reason="User Initiated")
        self._delete_all(retain=retain or [])
        self._settle_delete("DELETE")

    def _settle_delete(self, verb: str) -> None:
        stack = self._stack
        stuck = [r.logical_id for r in stack.resources.values() if r.status == "DELETE_FAILED"]
        if stuck:
            reason = f"The following resource(s) failed to delete: [{', '.join(stuck)}]. "
            stack.event(self._context, f"{verb}_FAILED", reason=reason)
            return
        stack.deleted = self._context.clock.now()
        stack.outputs = []
        stack.event(self._context, f"{verb}_COMPLETE")

    def _adopt(self, blueprint: Blueprint) -> None:
        stack = self._stack
        stack.body, stack.template = blueprint.body, blueprint.template
        stack.parameters, stack.tags = blueprint.parameters, blueprint.tags
        stack.imports = blueprint.imports

    def _guarded(self, work: Callable[[], None]) -> ResourceFailedError | None:
        try:
            work()
        except ResourceFailedError as failed:
            return failed
        return None

    def _create_all(self, blueprint: Blueprint, order: list[str]) -> None:
        for logical_id in order:
            if logical_id not in self._stack.resources:
                self.create_one(blueprint, logical_id)

    def create_one(self, blueprint: Blueprint, logical_id: str) -> StackResource:
        """Create one resource; raises ResourceFailedError, after the events that say so."""
        context, stack = self._context, self._stack
        type_name = blueprint.type_of(logical_id)
        resource = StackResource(
            logical_id=logical_id, type_name=type_name, status="", updated=context.clock.now()
        )
        stack.resources[logical_id] = resource
        stack.event(context, "CREATE_IN_PROGRESS", resource=resource)
        with self._failing(resource, "CREATE"):
            adapter = self._adapter(type_name)
            properties = blueprint.properties(logical_id)
            resource.properties = properties
            resource.physical_id = adapter.create(
                self._name(adapter, logical_id, properties), copy.deepcopy(properties)
            )
            stack.event(
                context,
                "CREATE_IN_PROGRESS",
                reason="Resource creation Initiated",
                resource=resource,
                properties=properties,
            )
            stack.event(context, "CREATE_COMPLETE", resource=resource, properties=properties)
        return resource

    def _update_all(
        self, blueprint: Blueprint, undo: list[Callable[[], None]], leftovers: list[StackResource]
    ) -> None:
        for logical_id in blueprint.order():
            resource = self._stack.resources.get(logical_id)
            if resource is None:
                undo.append(lambda lid=logical_id: self._delete_one(self._stack.resources.get(lid)))  # type: ignore[misc]  # mypy cannot infer a lambda's default
                self.create_one(blueprint, logical_id)
                continue
            with self._failing(resource, "UPDATE"):
                properties = blueprint.properties(logical_id)
                same_type = resource.type_name == blueprint.type_of(logical_id)
                if properties == resource.properties and same_type:
                    continue
                if same_type and not self._recreates(resource, properties):
                    self._update_one(resource, properties, undo)
                else:
                    self._replace_one(blueprint, resource, properties, undo, leftovers)

    def _recreates(self, resource: StackResource, properties: Properties) -> bool:
        adapter = self._adapter(resource.type_name)
        changed = {
            k for k in {*properties, *resource.properties} if properties.get(k) != resource.properties.get(k)
        }
        fatal = {name for name in changed if schemas.replaces(resource.type_name, name) == "Always"}
        own_name = adapter.name_property
        if fatal and own_name in properties and properties.get(own_name) == resource.properties.get(own_name):
            # Text: https://repost.aws/knowledge-center/cloudformation-custom-name
            raise ApiError(
                "ValidationError",
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {properties[own_name]} and update the stack again.",
            )
        return bool(fatal)

    def _update_one(
        self, resource: StackResource, properties: Properties, undo: list[Callable[[], None]]
    ) -> None:
        adapter, old = self._adapter(resource.type_name), resource.properties
        physical_id = resource.physical_id or ""
        self._stack.event(self._context, "UPDATE_IN_PROGRESS", resource=resource, properties=properties)
        undo.append(lambda: adapter.update(physical_id, copy.deepcopy(properties), copy.deepcopy(old)))
        adapter.update(physical_id, copy.deepcopy(old), copy.deepcopy(properties))
        resource.properties = properties
        self._stack.event(self._context, "UPDATE_COMPLETE", resource=resource, properties=properties)

    def _replace_one(
        self,
        blueprint: Blueprint,
        resource: StackResource,
        properties: Properties,
        undo: list[Callable[[], None]],
        leftovers: list[StackResource],
    ) -> None:
        old = copy.deepcopy(resource)
        resource.type_name = blueprint.type_of(resource.logical_id)
        adapter = self._adapter(resource.type_name)
        reason = "Requested update requires the creation of a new physical resource; hence creating one."
        self._stack.event(
            self._context, "UPDATE_IN_PROGRESS", reason=reason, resource=resource, properties=properties
        )
        name = self._name(adapter, resource.logical_id, properties)
        new_id = adapter.create(name, copy.deepcopy(properties))
        undo.append(lambda: adapter.delete(new_id))
        resource.physical_id, resource.properties, resource.drift = new_id, properties, None
        self._stack.event(self._context, "UPDATE_COMPLETE", resource=resource, properties=properties)
        if blueprint.option(resource.logical_id, "UpdateReplacePolicy") != "Retain":
            leftovers.append(old)

    def _clean_up(
        self, leftovers: list[StackResource], gone: list[str], old: dict[str, StackResource]
    ) -> None:
        for resource in reversed(leftovers):
            self._delete_one(resource)
        for logical_id in reversed(gone):
            self._delete_one(self._stack.resources[logical_id])
            del self._stack.resources[logical_id]

    def _delete_all(self, *, keep_records: bool = False, retain: list[str] | tuple[str, ...] = ()) -> None:
        stack = self._stack
        for logical_id in reversed(list(stack.resources)):
            resource = stack.resources[logical_id]
            if logical_id in retain:
                stack.event(self._context, "DELETE_SKIPPED", resource=resource)
            elif resource.physical_id and resource.status != "DELETE_COMPLETE":
                self._delete_one(resource)
            if resource.status == "DELETE_FAILED":
                continue
            if not keep_records:
                del stack.resources[logical_id]

    def _delete_one(self, resource: StackResource | None) -> None:
        """Delete one resource unless its DeletionPolicy keeps it; a failure is in its status."""
        if resource is None or not resource.physical_id:
            return
        policy = self._stack.template.get("Resources", {}).get(resource.logical_id, {}).get("DeletionPolicy")
        if policy in ("Retain", "RetainExceptOnCreate") and self._stack.status != "ROLLBACK_IN_PROGRESS":
            self._stack.event(self._context, "DELETE_SKIPPED", resource=resource)
            return
        self._stack.event(self._context, "DELETE_IN_PROGRESS", resource=resource)
        try:
            self._adapter(resource.type_name).delete(resource.physical_id)
        except (ClientError, ApiError) as error:
            if not (isinstance(error, ClientError) and is_gone(error)):
                self._stack.event(
                    self._context, "DELETE_FAILED", reason=handler_message(error), resource=resource
                )
                return
        self._stack.event(self._context, "DELETE_COMPLETE", resource=resource)

    def _adapter(self, type_name: str) -> Adapter:
        adapter = adapter_in(self._context, self._stack, type_name)
        if adapter is None:
            # Invented: AWS has every type, the sandbox only those with an adapter.
            raise ApiError("NotImplemented", f"The sandbox has no adapter for resource type {type_name}")
        return adapter

    def _name(self, adapter: Adapter, logical_id: str, properties: Properties) -> str:
        """The given name, or stack-logicalid-random as CloudFormation makes it, within the limit."""
        given = properties.get(adapter.name_property) if adapter.name_property else None
        if given:
            return str(given)
        suffix = "-" + "".join(_random.choices(string.ascii_letters + string.digits, k=12))
        room = adapter.name_limit - len(suffix)
        stem = f"{self._stack.name}-{logical_id}"
        if len(stem) > room:
            half = max(room - min(len(logical_id), room // 2) - 1, 1)
            stem = f"{self._stack.name[:half]}-{logical_id}"[:room]
        return (stem + suffix).lower() if adapter.lower_case_name else stem + suffix

    def _failing(self, resource: StackResource, verb: str) -> _Failing:
        return _Failing(self._context, self._stack, resource, verb)


class _Failing:
    """Turns what a handler raises into the resource's failure."""

    def __init__(self, context: Context, stack: Stack, resource: StackResource, verb: str) -> None:
        self._context, self._stack, self._resource, self._verb = context, stack, resource, verb

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, ResourceFailedError):
            return
        if not isinstance(error, ClientError | BotoCoreError | ApiError | KeyError | ValueError | TypeError):
            return
        reason = handler_message(error)
        self._stack.event(self._context, f"{self._verb}_FAILED", reason=reason, resource=self._resource)
        raise ResourceFailedError(self._resource.logical_id, reason) from error


def handler_message(error: BaseException) -> str:
    """How CloudFormation reports what a resource handler met (form as recorded from AWS)."""
    if isinstance(error, ApiError):
        return error.message
    token = uuid.uuid4()
    if not isinstance(error, ClientError):
        text = f"{type(error).__name__}: {error}"
        return (
            f'Resource handler returned message: "{text}" '
            f"(RequestToken: {token}, HandlerErrorCode: InternalFailure)"
        )
    details, meta = error.response["Error"], error.response.get("ResponseMetadata", {})
    code = _handler_code(str(details.get("Code", "")))
    return (
        f'Resource handler returned message: "{details.get("Message", "")} (Service: {error.operation_name}, '
        f'Status Code: {meta.get("HTTPStatusCode", 400)}, Request ID: {meta.get("RequestId", "")})" '
        f"(RequestToken: {token}, HandlerErrorCode: {code})"
    )


def _handler_code(code: str) -> str:
    """CloudFormation CLI's handler error code for a service's error code."""
    for part, known in (
        ("Exist", "AlreadyExists"),
        ("AccessDenied", "AccessDenied"),
        ("Unauthorized", "AccessDenied"),
        ("Throttl", "Throttling"),
        ("NotFound", "NotFound"),
        ("NoSuch", "NotFound"),
        ("Limit", "ServiceLimitExceeded"),
        ("Invalid", "InvalidRequest"),
        ("Validation", "InvalidRequest"),
    ):
        if part in code:
            return known
    return "GeneralServiceException"


def acting_principal(context: Context, role_arn: str | None) -> Principal:
    """As whom CloudFormation calls: the stack's role, or else the caller."""
    return assumed_role(role_arn, "AWSCloudFormation") if role_arn else context.principal


def guard_exports(context: Context, stack: Stack, blueprint: Blueprint | None) -> None:
    """Raise ApiError where an export that another stack imports would vanish or change.

    Text: https://repost.aws/knowledge-center/cloudformation-stack-export-name-error
    """
    verb = "updated" if blueprint else "deleted"
    after = {o.get("ExportName"): o["OutputValue"] for o in (blueprint.outputs() if blueprint else [])}
    for output in stack.outputs:
        name = output.get("ExportName")
        if not name or after.get(name) == output["OutputValue"]:
            continue
        users = [s.name for s in stacks(context).values() if s.alive and name in s.imports and s is not stack]
        if users:
            raise invalid(f"Export {name} cannot be {verb} as it is in use by {', '.join(users)}")
