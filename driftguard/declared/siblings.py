"""One fact, two resources: children that write into a parent, put into the parent before it is compared.

`RULES` is the whole list, in order.  It works over all declared resources of an account, because a policy
in one stack may belong to a role in another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from driftguard.declared.text import first_hole
from driftguard.model import DeclaredResource, Json, Unknown

Element = Callable[[DeclaredResource], Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiblingRule:
    """A child type that writes into a property of a parent type.

    ``targets`` names the child's property that holds the parent's physical id, or a list of them.
    ``element`` is what the child adds to the parent's list.  ``exclusive`` says that the property lists
    all there is: when every stack was read that may hold a child, an undeclared list is the children's, and
    anything else that is live was added by hand.
    """

    name: str
    child: str
    parent: str
    property: str
    targets: str
    element: Element
    exclusive: bool = False


def _without(*names: str) -> Element:
    """The child's own properties but those that only point at the parent."""
    return lambda child: {key: value for key, value in child.properties.items() if key not in names}


def _inline_policy(child: DeclaredResource) -> Json:
    properties = child.properties
    return {
        "PolicyName": properties.get("PolicyName", Unknown("the policy's name is not declared")),
        "PolicyDocument": properties.get("PolicyDocument", Unknown("the policy has no document")),
    }


def _physical_id(child: DeclaredResource) -> Json:
    return child.physical_id or Unknown(f"the id of {child.logical_id} is not known")


def _property(name: str) -> Element:
    return lambda child: child.properties.get(name, Unknown(f"{name} is not declared"))


def _inline_policies() -> tuple[SiblingRule, ...]:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-policy.html"""
    rules = []
    for parent, plural in (("Role", "Roles"), ("User", "Users"), ("Group", "Groups")):
        for child, targets in (("AWS::IAM::Policy", plural), (f"AWS::IAM::{parent}Policy", f"{parent}Name")):
            rules.append(
                SiblingRule(
                    name=f"{child} -> {parent}",
                    child=child,
                    parent=f"AWS::IAM::{parent}",
                    property="Policies",
                    targets=targets,
                    element=_inline_policy,
                    exclusive=True,
                )
            )
        rules.append(
            SiblingRule(
                name=f"AWS::IAM::ManagedPolicy -> {parent}",
                child="AWS::IAM::ManagedPolicy",
                parent=f"AWS::IAM::{parent}",
                property="ManagedPolicyArns",
                targets=plural,
                element=_physical_id,
                exclusive=True,
            )
        )
    return tuple(rules)


RULES: tuple[SiblingRule, ...] = (
    SiblingRule(
        name="AWS::EC2::SecurityGroupIngress -> SecurityGroup",
        child="AWS::EC2::SecurityGroupIngress",
        parent="AWS::EC2::SecurityGroup",
        property="SecurityGroupIngress",
        targets="GroupId",
        element=_without("GroupId", "GroupName"),
        exclusive=True,
    ),
    # Not exclusive: without an inline egress rule AWS keeps its own allow-all rule beside the children.
    SiblingRule(
        name="AWS::EC2::SecurityGroupEgress -> SecurityGroup",
        child="AWS::EC2::SecurityGroupEgress",
        parent="AWS::EC2::SecurityGroup",
        property="SecurityGroupEgress",
        targets="GroupId",
        element=_without("GroupId"),
    ),
    *_inline_policies(),
    SiblingRule(
        name="AWS::IAM::UserToGroupAddition -> User",
        child="AWS::IAM::UserToGroupAddition",
        parent="AWS::IAM::User",
        property="Groups",
        targets="Users",
        element=_property("GroupName"),
        exclusive=True,
    ),
    SiblingRule(
        name="AWS::SNS::Subscription -> Topic",
        child="AWS::SNS::Subscription",
        parent="AWS::SNS::Topic",
        property="Subscription",
        targets="TopicArn",
        element=lambda child: {
            key: value for key, value in child.properties.items() if key in ("Endpoint", "Protocol")
        },
    ),
    SiblingRule(
        name="AWS::AutoScaling::LifecycleHook -> AutoScalingGroup",
        child="AWS::AutoScaling::LifecycleHook",
        parent="AWS::AutoScaling::AutoScalingGroup",
        property="LifecycleHookSpecificationList",
        targets="AutoScalingGroupName",
        element=_without("AutoScalingGroupName"),
    ),
)

Address = tuple[str, str, str, str]


def merge_siblings(
    resources: Sequence[DeclaredResource], *, whole: Collection[str] | None = None
) -> tuple[DeclaredResource, ...]:
    """The resources, each parent with what its children write into it.

    ``whole`` are the regions (and ``global``) of which ``resources`` are all that is declared there: only in
    those may an undeclared list be taken for "nothing but the children"; ``None``: nobody wants to know.  A
    child stands in its parent's region.  Elsewhere, and where a child's parent cannot be known, what is
    known of such a list goes to `DeclaredResource.shared`.
    """
    parents = {_address(item, item.physical_id): item for item in resources if item.physical_id}
    added: dict[tuple[Address, str], list[Json]] = defaultdict(list)
    unsure: dict[tuple[str, str, str, str], str] = {}
    for rule in RULES:
        for child in resources:
            if child.type == rule.child:
                _assign(rule, child, parents, added, unsure)
    return tuple(_merged(item, added, unsure, whole) for item in _with_bus_policies(resources))


def _address(item: DeclaredResource, physical_id: str | None, type_name: str = "") -> Address:
    return (item.account, item.region, type_name or item.type, physical_id or "")


def _assign(
    rule: SiblingRule,
    child: DeclaredResource,
    parents: Mapping[Address, DeclaredResource],
    added: dict[tuple[Address, str], list[Json]],
    unsure: dict[tuple[str, str, str, str], str],
) -> None:
    targets = child.properties.get(rule.targets)
    for target in targets if isinstance(targets, list) else [targets]:
        if target is None:
            continue
        hole = first_hole(target)
        if hole is not None:
            reason = f"{child.logical_id} ({child.type}) may add to it: {hole.reason}"
            unsure[child.account, child.region, rule.parent, rule.property] = reason
            continue
        address = _address(child, str(target), rule.parent)
        if address in parents:
            added[address, rule.property].append(rule.element(child))


def _merged(
    item: DeclaredResource,
    added: Mapping[tuple[Address, str], list[Json]],
    unsure: Mapping[tuple[str, str, str, str], str],
    whole: Collection[str] | None,
) -> DeclaredResource:
    properties, shared = dict(item.properties), dict(item.shared)
    for rule in RULES:
        if rule.parent != item.type:
            continue
        own = properties.get(rule.property)
        children = added.get((_address(item, item.physical_id), rule.property), [])
        doubt = unsure.get((item.account, item.region, item.type, rule.property))
        if isinstance(own, list):
            open_end = [Unknown(doubt)] if doubt and doubt not in map(_reason, own) else []
            fresh = [child for child in children if child not in own]
            if fresh or open_end:
                properties[rule.property] = [*own, *fresh, *open_end]
        elif own is None and rule.exclusive and whole is not None and item.physical_id:
            if doubt or item.region not in whole:
                shared[rule.property] = tuple(children)
            else:
                properties[rule.property] = list(children)
    if properties == item.properties and shared == item.shared:
        return item
    return replace(item, properties=properties, shared=shared)


def _reason(value: Json) -> str:
    return value.reason if isinstance(value, Unknown) else ""


def _with_bus_policies(resources: Sequence[DeclaredResource]) -> list[DeclaredResource]:
    """EventBridge keeps one policy per bus; each EventBusPolicy is a statement of it, told by its Sid.

    A bus that declares no policy of its own is left alone: then the live one is the children's.
    """
    statements: dict[tuple[str, str, str], list[Json]] = defaultdict(list)
    for child in resources:
        statement = child.properties.get("Statement")
        if child.type == "AWS::Events::EventBusPolicy" and isinstance(statement, Mapping):
            bus = child.properties.get("EventBusName", "default")
            named = {"Sid": child.properties.get("StatementId"), **statement}
            statements[child.account, child.region, str(bus)].append(named)
    result = []
    for item in resources:
        policy = item.properties.get("Policy")
        more = statements.get((item.account, item.region, item.physical_id or ""), [])
        if item.type == "AWS::Events::EventBus" and isinstance(policy, Mapping) and more:
            own = policy.get("Statement")
            own = own if isinstance(own, list) else [own] if own else []
            policy = {**policy, "Statement": [*own, *more]}
            result.append(replace(item, properties={**item.properties, "Policy": policy}))
        else:
            result.append(item)
    return result
