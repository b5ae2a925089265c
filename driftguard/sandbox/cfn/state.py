"""What CloudFormation remembers of a stack, and where stacks are found."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from driftguard.sandbox.cfn.parameters import Parameters
from driftguard.sandbox.cfn.template import Template, invalid
from driftguard.sandbox.core import Context, World, announce
from driftguard.sandbox.types.base import Adapter, Properties

STACK_TYPE = "AWS::CloudFormation::Stack"
_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*")


@dataclass(kw_only=True)
class StackResource:
    """One resource of a stack: as declared (resolved), and what became of it."""

    logical_id: str
    type_name: str
    status: str
    updated: dt.datetime
    physical_id: str | None = None
    reason: str | None = None
    properties: Properties = field(default_factory=dict)
    drift: dict[str, Any] | None = None
    """The last StackResourceDrift, if one was ever made."""


@dataclass(kw_only=True)
class Stack:
    """One stack.  ``resources`` stand in the order in which they were created."""

    id: str
    name: str
    account: str
    region: str
    created: dt.datetime
    status: str = "REVIEW_IN_PROGRESS"
    reason: str | None = None
    updated: dt.datetime | None = None
    deleted: dt.datetime | None = None
    body: str = ""
    template: Template = field(default_factory=dict)
    """The processed template that is deployed now."""
    parameters: Parameters = field(default_factory=Parameters)
    tags: dict[str, str] = field(default_factory=dict)
    capabilities: list[str] = field(default_factory=list)
    notification_arns: list[str] = field(default_factory=list)
    role_arn: str | None = None
    parent_id: str | None = None
    root_id: str | None = None
    protected: bool = False
    policy: str | None = None
    disable_rollback: bool = False
    resources: dict[str, StackResource] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    change_sets: dict[str, Any] = field(default_factory=dict)
    drift: dict[str, Any] = field(default_factory=lambda: {"StackDriftStatus": "NOT_CHECKED"})

    @property
    def alive(self) -> bool:
        """Whether the stack still has its name."""
        return self.status != "DELETE_COMPLETE"

    def event(
        self,
        context: Context,
        status: str,
        *,
        reason: str | None = None,
        resource: StackResource | None = None,
        properties: Properties | None = None,
    ) -> None:
        """Note what happened to the stack or to one of its resources; the newest event stands first."""
        logical_id = resource.logical_id if resource else self.name
        event = {
            "StackId": self.id,
            "EventId": f"{logical_id}-{status}-{uuid.uuid4()}" if resource else str(uuid.uuid4()),
            "StackName": self.name,
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": (resource.physical_id or "") if resource else self.id,
            "ResourceType": resource.type_name if resource else STACK_TYPE,
            "Timestamp": context.clock.now(),
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
        }
        if properties is not None:
            event["ResourceProperties"] = json.dumps(properties, separators=(",", ":"), default=str)
        self.events.insert(0, event)
        if resource:
            resource.status, resource.reason, resource.updated = status, reason, context.clock.now()
        else:
            self.status, self.reason = status, reason
            # CloudFormation user guide, "Stack status change" event.
            announce(
                context,
                source="aws.cloudformation",
                kind="CloudFormation Stack Status Change",
                detail={
                    "stack-id": self.id,
                    "status-details": {"status": status, "status-reason": reason or ""},
                    "client-request-token": "",
                },
            )


class InStack(Adapter):
    """An adapter of a type that exists only inside a stack and has to know it."""

    stack: Stack


def new_stack(context: Context, name: str, *, parent: Stack | None = None) -> Stack:
    """A stack without resources, registered under its id."""
    check_name(name)
    stack = Stack(
        id=f"arn:{context.partition}:cloudformation:{context.region}:{context.account}:stack/{name}/{uuid.uuid4()}",
        name=name,
        account=context.account,
        region=context.region,
        created=context.clock.now(),
    )
    if parent:
        stack.parent_id, stack.root_id = parent.id, parent.root_id or parent.id
    stacks(context)[stack.id] = stack
    return stack


def check_name(name: str) -> None:
    """Raise ApiError (recorded text) where ``name`` cannot be a stack's name."""
    if not _NAME.fullmatch(name):
        raise invalid(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*"
        )


def stacks(context: Context) -> dict[str, Stack]:
    """All stacks of the account and region, deleted ones included, by id."""
    return context.store("cfn.stacks")


def all_stacks(world: World) -> Iterator[Stack]:
    """All stacks of the sandbox."""
    for _, _, store in world.stores("cfn.stacks"):
        yield from store.values()


def find(context: Context, name: str) -> Stack | None:
    """A stack by id (deleted ones too) or by name (only one that is there)."""
    known = stacks(context)
    if name in known:
        return known[name]
    return next((s for s in known.values() if s.name == name and s.alive), None)


def need(context: Context, name: str, message: str = "Stack with id {} does not exist") -> Stack:
    """:func:`find`; raises ApiError with ``message``.

    Recorded: DescribeStacks, UpdateStack, DescribeStackResources say "Stack with id X does not exist",
    DescribeStackEvents and CreateChangeSet "Stack [X] does not exist", DescribeStackResource
    "Stack 'X' does not exist".
    """
    stack = find(context, name)
    if stack is None:
        raise invalid(message.format(name))
    return stack
