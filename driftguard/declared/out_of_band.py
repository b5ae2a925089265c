"""Children that live on a declared parent and that no stack declares: somebody put them there by hand.

They are resources of their own in AWS's eyes (a bucket policy, a route), so the parent's own comparison
does not show them; they count as drift of the parent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from driftguard.declared.text import first_hole
from driftguard.model import DeclaredResource, Json, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildType:
    """``link`` is the child's property that names the parent; ``also`` are other declarations of it."""

    type: str
    parent: str
    link: str
    also: tuple[tuple[str, str], ...] = ()


CHILD_TYPES: tuple[ChildType, ...] = (
    ChildType(type="AWS::S3::BucketPolicy", parent="AWS::S3::Bucket", link="Bucket"),
    ChildType(
        type="AWS::SQS::QueueInlinePolicy",
        parent="AWS::SQS::Queue",
        link="Queue",
        also=(("AWS::SQS::QueuePolicy", "Queues"),),
    ),
    ChildType(
        type="AWS::SNS::TopicInlinePolicy",
        parent="AWS::SNS::Topic",
        link="TopicArn",
        also=(("AWS::SNS::TopicPolicy", "Topics"),),
    ),
    ChildType(type="AWS::EC2::Route", parent="AWS::EC2::RouteTable", link="RouteTableId"),
    ChildType(
        type="AWS::AutoScaling::LifecycleHook",
        parent="AWS::AutoScaling::AutoScalingGroup",
        link="AutoScalingGroupName",
    ),
    ChildType(type="AWS::Events::EventBusPolicy", parent="AWS::Events::EventBus", link="EventBusName"),
    ChildType(type="AWS::SNS::Subscription", parent="AWS::SNS::Topic", link="TopicArn"),
    ChildType(type="AWS::Logs::SubscriptionFilter", parent="AWS::Logs::LogGroup", link="LogGroupName"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfBand:
    """A live child that nothing declares, and the declared resource that it changes."""

    parent: DeclaredResource
    child: Resource


def out_of_band(declared: Sequence[DeclaredResource], live: Iterable[Resource]) -> tuple[OutOfBand, ...]:
    """The live children of declared parents that no stack declares.

    ``declared`` has to be all that the account's stacks declare.  A child is left out when a declaration
    of its type has an unknown parent: it may be that one.
    """
    parents = {(item.account, item.region, item.type, item.physical_id): item for item in declared}
    kinds = {kind.type: kind for kind in CHILD_TYPES}
    keys = {item.key for item in declared}
    found = []
    for child in live:
        kind = kinds.get(child.type)
        if kind is None or child.key in keys or _made_by_aws(child):
            continue
        target = child.properties.get(kind.link)
        parent = parents.get((child.key.account, child.key.region, kind.parent, target))
        if parent is not None and not _declared_elsewhere(kind, parent, child, declared):
            found.append(OutOfBand(parent=parent, child=child))
    return tuple(found)


def _declared_elsewhere(
    kind: ChildType, parent: DeclaredResource, child: Resource, declared: Sequence[DeclaredResource]
) -> bool:
    """Whether a declaration that has no identifier of its own could be this child."""
    for item in declared:
        if (item.account, item.region) != (parent.account, parent.region):
            continue
        if item.type == kind.type and item.identifier is None:
            targets: Json = item.properties.get(kind.link)
        else:
            targets = next((item.properties.get(link) for name, link in kind.also if name == item.type), None)
        targets = targets if isinstance(targets, list) else [targets]
        if parent.physical_id in targets or first_hole(targets) is not None:
            return True
    return False


def _made_by_aws(child: Resource) -> bool:
    """A route that AWS itself keeps: the VPC's own, or that of a gateway endpoint."""
    if child.type != "AWS::EC2::Route":
        return False
    gateway = str(child.properties.get("GatewayId") or child.properties.get("VpcEndpointId") or "")
    return gateway == "local" or gateway.startswith("vpce-")
