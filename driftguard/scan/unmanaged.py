"""Live resources that no stack declares, without those that nobody has to declare.  Pure."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterator

from driftguard.declared.out_of_band import parent_of, place_of
from driftguard.declared.ownership import service_owner
from driftguard.live import ACCOUNT
from driftguard.model import Drift, DriftStatus, Resource, ResourceKey
from driftguard.scan.readings import Readings

_STACK_ID = "aws:cloudformation:stack-id"
_TASK_DEFINITION = "AWS::ECS::TaskDefinition"


def unmanaged(
    readings: Readings, managed: Collection[ResourceKey], ignored_types: Collection[str]
) -> Iterator[Drift]:
    """One UNMANAGED drift for each; ``ignored_types`` are patterns of type names."""
    stacks = {stack.stack_id for stack in readings.stacks}
    families = {
        (one.account, one.region, str(one.properties.get("Family")))
        for one in readings.declared
        if one.type == _TASK_DEFINITION
    }
    parents = {place_of(one) for one in readings.declared}
    for key, resource in readings.snapshot.resources.items():
        # What lies on a declared parent is drift of that parent, or explained: AWS's own, or declared with it.
        if parent_of(resource) in parents:
            continue
        if key in managed or resource.made_by_aws or key.type == ACCOUNT or service_owner(resource):
            continue
        if _may_be_declared(key, readings) or _held(resource, readings):
            continue
        if any(fnmatch.fnmatchcase(key.type, pattern) for pattern in ignored_types):
            continue
        if _of_another_stack(resource, stacks) or _revision(resource, families):
            continue
        yield Drift(key=key, status=DriftStatus.UNMANAGED, physical_id=resource.name or key.identifier)


def _may_be_declared(key: ResourceKey, readings: Readings) -> bool:
    """Whether a stack that could not be listed may declare it; what is global, from any region."""
    if (key.account, key.region) in readings.covered:
        return (key.account, key.region) in readings.stackless
    return any(account == key.account for account, _ in readings.stackless)


def _held(resource: Resource, readings: Readings) -> bool:
    """Whether a stack lists it, though its identifier or the stack's template could not be told."""
    key = resource.key
    names = {key.identifier, *key.identifier.split("|"), resource.name, resource.arn, resource.config_id}
    return any((key.account, key.region, key.type, name) in readings.held for name in names if name)


def _of_another_stack(resource: Resource, stacks: Collection[str]) -> bool:
    """Whether CloudFormation says that it belongs to a stack that this scan did not read.

    Only CloudFormation can set ``aws:`` tags.  A resource that carries the id of a stack that was read, and
    that the stack does not list, was retained when it left the stack: nobody manages it any more.
    """
    stack_id = resource.tags.get(_STACK_ID)
    return stack_id is not None and stack_id not in stacks


def _revision(resource: Resource, families: Collection[tuple[str, str, str]]) -> bool:
    """A task definition's revision of a family that a stack declares: pipelines register those to deploy."""
    if resource.type != _TASK_DEFINITION:
        return False
    family = resource.key.identifier.rsplit("/", 1)[-1].split(":")[0]
    return (resource.key.account, resource.key.region, family) in families
