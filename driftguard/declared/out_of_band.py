"""Children that live on a declared parent and that no stack declares: somebody put them there by hand.

They are resources of their own in AWS's eyes (a bucket policy, a route), so the parent's own comparison
does not show them; they count as drift of the parent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from driftguard.declared.positions import join_pointer
from driftguard.declared.text import first_hole
from driftguard.model import DeclaredResource, Json, Resource


class Found(StrEnum):
    """How Cloud Control finds the children of a type (the list handlers of the registry schemas)."""

    BY_PARENT = "BY_PARENT"
    """The child's identifier is the parent's: it is asked for by that."""
    LISTED_BELOW = "LISTED_BELOW"
    """A list needs the parent."""
    LISTED = "LISTED"
    """A list shows those of all parents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildType:
    """``link`` is the child's property that names the parent; ``also`` are other declarations of it.

    ``inline`` is the parent's own property that declares such children, if it has one; ``abroad`` says that
    a stack of another region may declare one.
    """

    type: str
    parent: str
    link: str
    found: Found
    also: tuple[tuple[str, str], ...] = ()
    inline: str = ""
    abroad: bool = False

    @property
    def path(self) -> str:
        """Where such children count as drift of their parent: ``/(AWS::S3::BucketPolicy)``."""
        return f"/({self.type})"


CHILD_TYPES: tuple[ChildType, ...] = (
    ChildType(type="AWS::S3::BucketPolicy", parent="AWS::S3::Bucket", link="Bucket", found=Found.BY_PARENT),
    ChildType(
        type="AWS::SQS::QueueInlinePolicy",
        parent="AWS::SQS::Queue",
        link="Queue",
        found=Found.BY_PARENT,
        also=(("AWS::SQS::QueuePolicy", "Queues"),),
    ),
    ChildType(
        type="AWS::SNS::TopicInlinePolicy",
        parent="AWS::SNS::Topic",
        link="TopicArn",
        found=Found.BY_PARENT,
        also=(("AWS::SNS::TopicPolicy", "Topics"),),
    ),
    ChildType(
        type="AWS::EC2::Route", parent="AWS::EC2::RouteTable", link="RouteTableId", found=Found.LISTED_BELOW
    ),
    ChildType(
        type="AWS::AutoScaling::LifecycleHook",
        parent="AWS::AutoScaling::AutoScalingGroup",
        link="AutoScalingGroupName",
        found=Found.LISTED,
        inline="LifecycleHookSpecificationList",
    ),
    ChildType(
        type="AWS::Events::EventBusPolicy",
        parent="AWS::Events::EventBus",
        link="EventBusName",
        found=Found.LISTED_BELOW,
        inline="Policy",
    ),
    ChildType(
        type="AWS::SNS::Subscription",
        parent="AWS::SNS::Topic",
        link="TopicArn",
        found=Found.LISTED,
        inline="Subscription",
        abroad=True,
    ),
    ChildType(
        type="AWS::Logs::SubscriptionFilter",
        parent="AWS::Logs::LogGroup",
        link="LogGroupName",
        found=Found.LISTED_BELOW,
    ),
)


_KINDS = {kind.type: kind for kind in CHILD_TYPES}


ParentPlace = tuple[str, str, str, str | None]
"""Account, region, type and physical id of a parent."""


def place_of(declared: DeclaredResource) -> ParentPlace:
    """Where a declared resource stands, to be found by `parent_of` its children."""
    return declared.account, declared.region, declared.type, declared.physical_id


def parent_of(child: Resource) -> ParentPlace | None:
    """The parent that a live resource lies on; ``None`` where its type is none of `CHILD_TYPES`."""
    kind = _KINDS.get(child.type)
    if kind is None:
        return None
    return child.key.account, child.key.region, kind.parent, str(child.properties.get(kind.link))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfBand:
    """A live child that nothing declares, and the declared resource that it changes."""

    parent: DeclaredResource
    child: Resource

    @property
    def kind(self) -> ChildType:
        return _KINDS[self.child.type]

    @property
    def path(self) -> str:
        """The path of its type, with the child's identifier where a parent can have several."""
        if self.kind.found is Found.BY_PARENT:
            return self.kind.path
        return self.kind.path + join_pointer((self.child.key.identifier,))


def out_of_band(declared: Sequence[DeclaredResource], live: Iterable[Resource]) -> tuple[OutOfBand, ...]:
    """The live children of declared parents that no stack declares.

    ``declared`` has to be all that is declared in the parents' regions, and for children that may be declared
    abroad, in the account.  A child is left out when a declaration
    of its type has an unknown parent: it may be that one.
    """
    parents = {place_of(item): item for item in declared}
    keys = {item.key for item in declared}
    named = {(item.account, item.type, item.identifier) for item in declared}
    found = []
    for child in live:
        kind = _KINDS.get(child.type)
        if kind is None or child.key in keys or _made_by_aws(child):
            continue
        if kind.abroad and (child.key.account, child.type, child.key.identifier) in named:
            continue
        place = parent_of(child)
        parent = parents.get(place) if place else None
        if parent is None or (kind.inline and parent.properties.get(kind.inline)):
            continue
        if not _declared_elsewhere(kind, parent, child, declared):
            found.append(OutOfBand(parent=parent, child=child))
    return tuple(found)


def _declared_elsewhere(
    kind: ChildType, parent: DeclaredResource, child: Resource, declared: Sequence[DeclaredResource]
) -> bool:
    """Whether a declaration that has no identifier of its own could be this child."""
    for item in declared:
        if item.account != parent.account or (item.region != parent.region and not kind.abroad):
            continue
        if item.type == kind.type and item.identifier is None:
            targets: Json = item.properties.get(kind.link)
        else:
            targets = next((item.properties.get(link) for name, link in kind.also if name == item.type), None)
        targets = targets if isinstance(targets, list) else [targets]
        if parent.physical_id in targets or first_hole(targets) is not None:
            return True
    return False


_SERVICE_HOOKS = ("CodeDeploy-managed-", "ecs-managed-")
"""Lifecycle hooks that CodeDeploy and Amazon ECS put on a group themselves.

https://docs.aws.amazon.com/codedeploy/latest/userguide/integrations-aws-auto-scaling.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/managed-instance-draining.html
"""
_DEFAULT_STATEMENT = "__default_statement_ID"
_DELIVERY_ACTIONS = {
    "s3:PutObject",
    "s3:GetBucketAcl",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "firehose:PutRecord",
    "firehose:PutRecordBatch",
}
"""What VPC flow logs and other deliveries write into a bucket's policy.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
"""


def _made_by_aws(child: Resource) -> bool:
    """What AWS or a service keeps there itself, so that nobody has to declare it."""
    if child.type == "AWS::EC2::Route":
        # The VPC's own route, that of a gateway endpoint, and those that a VPN may have propagated.
        gateway = str(child.properties.get("GatewayId") or child.properties.get("VpcEndpointId") or "")
        return gateway == "local" or gateway.startswith(("vpce-", "vgw-"))
    if child.type == "AWS::AutoScaling::LifecycleHook":
        return str(child.properties.get("LifecycleHookName")).startswith(_SERVICE_HOOKS)
    document = child.properties.get("PolicyDocument")
    found = document.get("Statement") if isinstance(document, Mapping) else None
    statements = found if isinstance(found, list) else [found]
    return all(
        isinstance(one, Mapping) and (_default_statement(one, child.key.account) or _log_delivery(one))
        for one in statements
    )


def _default_statement(statement: Mapping[str, Json], account: str) -> bool:
    """The statement that a topic is made with: it admits nobody but its own account."""
    condition = statement.get("Condition")
    values = [
        value
        for test in (condition.values() if isinstance(condition, Mapping) else ())
        if isinstance(test, Mapping)
        for name, value in test.items()
        if name.lower() in ("aws:sourceowner", "aws:sourceaccount")
    ]
    return statement.get("Sid") == _DEFAULT_STATEMENT and values == [account]


def _log_delivery(statement: Mapping[str, Json]) -> bool:
    """A statement that lets log delivery write and nothing more; its Sid alone would prove nothing."""
    principal, actions = statement.get("Principal"), statement.get("Action")
    services = principal.get("Service") if isinstance(principal, Mapping) and len(principal) == 1 else None
    return (
        statement.get("Effect") == "Allow"
        and (services if isinstance(services, list) else [services]) == ["delivery.logs.amazonaws.com"]
        and {*(actions if isinstance(actions, list) else [actions])} <= _DELIVERY_ACTIONS
    )
