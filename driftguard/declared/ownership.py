"""Values that another owner moves by design, each tolerated inside its declared range and nowhere else.

Application Auto Scaling, Auto Scaling groups, CodeDeploy and Amazon ECS deployments.  The rules stand in
`OWNERS`, in order; each looks at all declared resources and says who owns what.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import orjson

from driftguard.declared.blue_green import (
    codedeploy_groups,
    codedeploy_lambda,
    ecs_blue_green,
    ecs_codedeploy_services,
)
from driftguard.declared.estate import Estate, number
from driftguard.model import DeclaredResource, Json, Partial, Resource
from driftguard.model.resource import Tolerance

_SCALABLE = Path(__file__).parent / "data" / "scalable.json"
Owned = tuple[DeclaredResource, Tolerance]
_APPLICATION = "Application Auto Scaling"
_GROUP = "Amazon EC2 Auto Scaling"


def with_tolerances(resources: Sequence[DeclaredResource]) -> tuple[DeclaredResource, ...]:
    """The resources, each with the values that someone else owns (`DeclaredResource.tolerated`)."""
    estate = Estate(resources)
    found: dict[int, list[Tolerance]] = defaultdict(list)
    for rule in OWNERS:
        for resource, tolerance in rule(estate):
            if tolerance not in found[id(resource)]:
                found[id(resource)].append(tolerance)
    return tuple(
        replace(item, tolerated=(*item.tolerated, *found[id(item)])) if id(item) in found else item
        for item in resources
    )


def application_auto_scaling(estate: Estate) -> Iterator[Owned]:
    """A scalable target moves its dimension between MinCapacity and MaxCapacity.

    https://docs.aws.amazon.com/autoscaling/application/userguide/what-is-application-auto-scaling.html
    """
    for target in estate.of("AWS::ApplicationAutoScaling::ScalableTarget"):
        entry = _dimensions().get(str(target.properties.get("ScalableDimension")))
        if entry is None:
            continue
        type_name, pattern = entry
        resource_id = _resource_id(target)
        for resource in _targets(estate, target, type_name, resource_id):
            path = _path(pattern, resource, resource_id)
            if path is not None:
                low, high = (number(target.properties.get(name)) for name in ("MinCapacity", "MaxCapacity"))
                yield resource, Tolerance(path=path, owner=_APPLICATION, minimum=low, maximum=high)


def _resource_id(target: DeclaredResource) -> Json:
    """The resource id as declared, or out of the physical id, which begins with it."""
    declared = target.properties.get("ResourceId")
    if not isinstance(declared, str) and target.physical_id and target.physical_id.count("|") == 2:
        return target.physical_id.split("|", 1)[0]
    return declared


def _targets(
    estate: Estate, target: DeclaredResource, type_name: str, resource_id: Json
) -> list[DeclaredResource]:
    candidates = [item for item in estate.of(type_name) if estate.same_place(item, target)]
    if isinstance(resource_id, (str, Partial)):
        return [item for item in candidates if _is_named(item, resource_id)]
    # The id is unknown, but a stack that holds a single resource of the type can mean no other.
    inside = [item for item in candidates if item.stack_id == target.stack_id]
    return inside if len(inside) == 1 else []


def _is_named(resource: DeclaredResource, resource_id: str | Partial) -> bool:
    physical = resource.physical_id or ""
    if isinstance(resource_id, Partial):
        return any(resource_id.matches(name) for name in _resource_names(resource))
    if not physical:
        return False
    short = resource_id.split("/index/")[0]
    last = short.rsplit("/", 1)[-1]
    return physical in (last, short) or physical.endswith((f":{short}", f":service/{last}"))


def _resource_names(resource: DeclaredResource) -> list[str]:
    physical = resource.physical_id or ""
    if physical.startswith("arn:"):
        return [physical, physical.split(":", 5)[-1]]
    return [f"{kind}/{physical}" for kind in ("table", "replication-group", "fleet", "cache-cluster")]


def _path(pattern: str, resource: DeclaredResource, resource_id: Json) -> str | None:
    """The pointer of the dimension; an index of a table is looked up by its name."""
    if "{IndexName}" not in pattern:
        return pattern
    indexes = resource.properties.get("GlobalSecondaryIndexes")
    if not isinstance(indexes, list) or not isinstance(resource_id, str):
        return None
    name = resource_id.rsplit("/", 1)[-1]
    for place, index in enumerate(indexes):
        if isinstance(index, Mapping) and index.get("IndexName") == name:
            return pattern.replace("{IndexName}", str(place))
    return None


def auto_scaling_groups(estate: Estate) -> Iterator[Owned]:
    """Policies, schedules, ECS and the Cluster Autoscaler move a group between MinSize and MaxSize."""
    for group in estate.of("AWS::AutoScaling::AutoScalingGroup"):
        schedules = estate.pointing_at(group, "AWS::AutoScaling::ScheduledAction", "AutoScalingGroupName")
        owner = _group_owner(estate, group, bool(schedules))
        if owner is None:
            continue
        lows = [number(item.properties.get("MinSize")) for item in (group, *schedules)]
        highs = [number(item.properties.get("MaxSize")) for item in (group, *schedules)]
        yield (
            group,
            Tolerance(
                path="/DesiredCapacity",
                owner=owner,
                minimum=min((low for low in lows if low is not None), default=None),
                maximum=max((high for high in highs if high is not None), default=None),
            ),
        )
        for name in ("MinSize", "MaxSize"):
            allowed = _scheduled(name, group, schedules)
            if allowed:
                yield (
                    group,
                    Tolerance(path=f"/{name}", owner="Auto Scaling scheduled action", allowed=allowed),
                )


def _group_owner(estate: Estate, group: DeclaredResource, scheduled: bool) -> str | None:
    if estate.pointing_at(group, "AWS::AutoScaling::ScalingPolicy", "AutoScalingGroupName"):
        return f"{_GROUP} scaling policy"
    if scheduled:
        return f"{_GROUP} scheduled action"
    for provider in estate.of("AWS::ECS::CapacityProvider"):
        given = provider.properties.get("AutoScalingGroupProvider")
        scaling = given.get("ManagedScaling") if isinstance(given, Mapping) else None
        enabled = not isinstance(scaling, Mapping) or scaling.get("Status", "ENABLED") == "ENABLED"
        name = given.get("AutoScalingGroupArn") if isinstance(given, Mapping) else None
        if enabled and isinstance(name, str) and name.rsplit("/", 1)[-1] == group.physical_id:
            return "Amazon ECS capacity provider"
    tags = group.properties.get("Tags")
    for tag in tags if isinstance(tags, list) else ():
        if isinstance(tag, Mapping) and tag.get("Key") == "k8s.io/cluster-autoscaler/enabled":
            return "Kubernetes Cluster Autoscaler"
    return None


def _scheduled(name: str, group: DeclaredResource, schedules: Sequence[DeclaredResource]) -> tuple[Json, ...]:
    """The values that schedules set, and the declared one, in both of the forms that AWS shows."""
    values = [number(item.properties.get(name)) for item in schedules]
    if not any(value is not None for value in values):
        return ()
    values.append(number(group.properties.get(name)))
    numbers = dict.fromkeys(int(value) for value in values if value is not None)
    return (*numbers, *map(str, numbers))


OWNERS: tuple[Callable[[Estate], Iterator[Owned]], ...] = (
    application_auto_scaling,
    auto_scaling_groups,
    ecs_codedeploy_services,
    ecs_blue_green,
    codedeploy_groups,
    codedeploy_lambda,
)


@lru_cache(maxsize=1)
def _dimensions() -> Mapping[str, tuple[str, str]]:
    return {name: (entry[0], entry[1]) for name, entry in orjson.loads(_SCALABLE.read_bytes()).items()}


def service_owner(resource: Resource) -> str | None:
    """Which AWS service made a live resource for itself, so that nobody has to declare it.

    Service-linked roles cannot be changed by the account; the rest comes with every account or VPC.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html
    """
    properties = resource.properties
    if resource.type == "AWS::IAM::Role":
        path = str(properties.get("Path") or (resource.arn or ""))
        if "/aws-service-role/" in path or "/aws-reserved/" in path:
            return "service-linked role"
    elif resource.type == "AWS::KMS::Alias" and str(properties.get("AliasName", "")).startswith("alias/aws/"):
        return "AWS managed key"
    elif resource.type == "AWS::EC2::SecurityGroup" and properties.get("GroupName") == "default":
        return "default security group of its VPC"
    elif resource.type == "AWS::AutoScaling::AutoScalingGroup" and resource.key.identifier.startswith(
        "CodeDeploy_"
    ):
        return "CodeDeploy blue/green"
    elif resource.type == "AWS::Events::EventBus" and resource.key.identifier == "default":
        return "default event bus"
    return None
