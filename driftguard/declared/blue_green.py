"""Who owns what while traffic is shifted: CodeDeploy for ECS, Lambda and EC2, and ECS's own blue/green.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-bluegreen.html
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-groups-create-blue-green.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from driftguard.declared.estate import Estate
from driftguard.model import DeclaredResource, Json
from driftguard.model.resource import Tolerance

_CODEDEPLOY = "CodeDeploy blue/green"
_ECS = "Amazon ECS blue/green"
_LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
_RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"
_TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
_SERVICE_PROPERTIES = (
    "TaskDefinition",
    "LoadBalancers",
    "NetworkConfiguration",
    "PlatformVersion",
    "TaskSets",
)
"""What CodeDeploy sets in the task set that replaces the service's first one.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
"""
Owned = tuple[DeclaredResource, Tolerance]


def ecs_codedeploy_services(estate: Estate) -> Iterator[Owned]:
    """A service with the CODE_DEPLOY controller: its task sets belong to CodeDeploy."""
    for service in estate.of("AWS::ECS::Service"):
        controller = service.properties.get("DeploymentController")
        if isinstance(controller, Mapping) and controller.get("Type") == "CODE_DEPLOY":
            for name in _SERVICE_PROPERTIES:
                yield service, Tolerance(path=f"/{name}", owner=_CODEDEPLOY)


def ecs_blue_green(estate: Estate) -> Iterator[Owned]:
    """ECS shifts the listener rules of a BLUE_GREEN service between its two target groups."""
    for service in estate.of("AWS::ECS::Service"):
        balancers = service.properties.get("LoadBalancers")
        for balancer in balancers if isinstance(balancers, list) else ():
            advanced = balancer.get("AdvancedConfiguration") if isinstance(balancer, Mapping) else None
            if not isinstance(advanced, Mapping):
                continue
            pair = (balancer.get("TargetGroupArn"), advanced.get("AlternateTargetGroupArn"))
            if not all(isinstance(arn, str) for arn in pair):
                continue
            for name in ("ProductionListenerRule", "TestListenerRule"):
                rule = estate.by_physical_id(_RULE, advanced.get(name), service)
                if rule is not None:
                    yield from _shifted(rule, "Actions", pair, _ECS)


def codedeploy_groups(estate: Estate) -> Iterator[Owned]:
    """The listeners of a deployment group move between its two target groups; copied groups replace one."""
    for group in estate.of("AWS::CodeDeploy::DeploymentGroup"):
        yield from _listeners(estate, group)
        yield from _copied_groups(estate, group)


def _listeners(estate: Estate, group: DeclaredResource) -> Iterator[Owned]:
    info = group.properties.get("LoadBalancerInfo")
    pairs = info.get("TargetGroupPairInfoList") if isinstance(info, Mapping) else None
    for pair in pairs if isinstance(pairs, list) else ():
        if not isinstance(pair, Mapping):
            continue
        arns = _arns(estate, group, pair.get("TargetGroups"))
        if len(arns) != 2:
            continue
        for route in ("ProdTrafficRoute", "TestTrafficRoute"):
            named = pair.get(route)
            for arn in named.get("ListenerArns") or () if isinstance(named, Mapping) else ():
                listener = estate.by_physical_id(_LISTENER, arn, group)
                if listener is not None:
                    yield from _shifted(listener, "DefaultActions", arns, _CODEDEPLOY)
                rule = estate.by_physical_id(_RULE, arn, group)
                if rule is not None:
                    yield from _shifted(rule, "Actions", arns, _CODEDEPLOY)
                for child in estate.of(_RULE):
                    if child.properties.get("ListenerArn") == arn and estate.same_place(child, group):
                        yield from _shifted(child, "Actions", arns, _CODEDEPLOY)


def _arns(estate: Estate, group: DeclaredResource, named: Json) -> tuple[str, ...]:
    """The ARNs of the declared target groups with these names; CodeDeploy names them, listeners use ARNs."""
    names = (
        {item.get("Name") for item in named if isinstance(item, Mapping)}
        if isinstance(named, list)
        else set()
    )
    return tuple(
        item.physical_id
        for item in estate.of(_TARGET_GROUP)
        if item.physical_id
        and estate.same_place(item, group)
        and (item.properties.get("Name") in names or _name_in(item.physical_id) in names)
    )


def _name_in(arn: str) -> str | None:
    """``arn:...:targetgroup/name/id`` -> ``name``."""
    parts = arn.split("/")
    return parts[1] if len(parts) == 3 else None


def _shifted(
    resource: DeclaredResource, property_name: str, pair: tuple[Json, ...], owner: str
) -> Iterator[Owned]:
    """The forward actions of a listener or rule, allowed to name either target group of the pair."""
    actions = resource.properties.get(property_name)
    for index, action in enumerate(actions if isinstance(actions, list) else ()):
        if not isinstance(action, Mapping) or str(action.get("Type", "forward")).lower() != "forward":
            continue
        base = f"/{property_name}/{index}"
        if action.get("TargetGroupArn") in pair:
            yield resource, Tolerance(path=f"{base}/TargetGroupArn", owner=owner, allowed=pair)
        forward = action.get("ForwardConfig")
        groups = forward.get("TargetGroups") if isinstance(forward, Mapping) else None
        for place, target in enumerate(groups if isinstance(groups, list) else ()):
            if isinstance(target, Mapping) and target.get("TargetGroupArn") in pair:
                entry = f"{base}/ForwardConfig/TargetGroups/{place}"
                yield resource, Tolerance(path=f"{entry}/TargetGroupArn", owner=owner, allowed=pair)
                yield resource, Tolerance(path=f"{entry}/Weight", owner=owner, minimum=0, maximum=999)


def _copied_groups(estate: Estate, group: DeclaredResource) -> Iterator[Owned]:
    """With COPY_AUTO_SCALING_GROUP the declared Auto Scaling group is replaced by a copy: path ``""``."""
    blue_green = group.properties.get("BlueGreenDeploymentConfiguration")
    option = blue_green.get("GreenFleetProvisioningOption") if isinstance(blue_green, Mapping) else None
    if not isinstance(option, Mapping) or option.get("Action") != "COPY_AUTO_SCALING_GROUP":
        return
    names = group.properties.get("AutoScalingGroups")
    for name in names if isinstance(names, list) else ():
        found = estate.by_physical_id("AWS::AutoScaling::AutoScalingGroup", name, group)
        if found is not None:
            yield found, Tolerance(path="", owner=_CODEDEPLOY)


def codedeploy_lambda(estate: Estate) -> Iterator[Owned]:
    """An alias with a CodeDeployLambdaAliasUpdate policy: CodeDeploy shifts it from version to version.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatepolicy.html
    """
    for alias in estate.of("AWS::Lambda::Alias"):
        policy = alias.attributes.get("UpdatePolicy")
        if isinstance(policy, Mapping) and "CodeDeployLambdaAliasUpdate" in policy:
            for path in ("/RoutingConfig", "/FunctionVersion"):
                yield alias, Tolerance(path=path, owner="CodeDeploy Lambda traffic shifting")
