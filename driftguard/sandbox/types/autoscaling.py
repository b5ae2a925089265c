"""Auto Scaling groups with their launch configurations, policies, scheduled actions and lifecycle hooks."""

from __future__ import annotations

import datetime as dt
from typing import Any

from driftguard.sandbox.types.base import Adapter, Properties, changed, pick, tag_map

_NUMBERS = ("MinSize", "MaxSize", "DesiredCapacity", "Cooldown", "HealthCheckGracePeriod")
_GROUP = (
    "LaunchConfigurationName",
    "LaunchTemplate",
    "AvailabilityZones",
    "TargetGroupARNs",
    "LoadBalancerNames",
    "HealthCheckType",
    "NewInstancesProtectedFromScaleIn",
    "TerminationPolicies",
    "PlacementGroup",
    "MaxInstanceLifetime",
)
# CloudFormation's name of the cooldown is the short one; the API speaks of the default.
_CALLED = {"Cooldown": "DefaultCooldown"}


class AutoScalingGroup(Adapter):
    type_name = "AWS::AutoScaling::AutoScalingGroup"
    service = "autoscaling"
    name_property = "AutoScalingGroupName"
    name_limit = 255
    unordered = ("Tags", "VPCZoneIdentifier", "AvailabilityZones", "TargetGroupARNs", "TerminationPolicies")

    def create(self, name: str, properties: Properties) -> str:
        tags = {"Tags": _tags(name, properties["Tags"])} if properties.get("Tags") else {}
        self.client.create_auto_scaling_group(AutoScalingGroupName=name, **_arguments(properties), **tags)
        return name

    def read(self, id: str) -> Properties | None:
        groups = self.client.describe_auto_scaling_groups(AutoScalingGroupNames=[id])["AutoScalingGroups"]
        if not groups:
            return None
        found = groups[0]
        shown = {"AutoScalingGroupName": id, "AutoScalingGroupARN": found["AutoScalingGroupARN"]}
        for name in _NUMBERS:
            value = found.get(_CALLED.get(name, name))
            if value is not None:  # the registry schema has these sizes as strings
                shown[name] = value if name == "HealthCheckGracePeriod" else str(value)
        shown.update(pick(found, *_GROUP))
        if "LaunchTemplate" in shown:
            shown["LaunchTemplate"] = pick(found["LaunchTemplate"], "LaunchTemplateId", "Version")
        if found.get("VPCZoneIdentifier"):
            shown["VPCZoneIdentifier"] = found["VPCZoneIdentifier"].split(",")
        tags = [
            {"Key": t["Key"], "Value": t["Value"], "PropagateAtLaunch": t["PropagateAtLaunch"]}
            for t in found.get("Tags", [])
            if not t["Key"].startswith("aws:")
        ]
        return {**shown, **({"Tags": tags} if tags else {})}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        changes = {k: v for k, v in new.items() if old.get(k) != v}
        call = _arguments(changes)
        if call:
            self.client.update_auto_scaling_group(AutoScalingGroupName=id, **call)
        before, after = tag_map(old.get("Tags")), tag_map(new.get("Tags"))
        gone = [{"Key": key, "Value": ""} for key in before if key not in after]
        if changed(old, new, "Tags") and new.get("Tags"):
            self.client.create_or_update_tags(Tags=_tags(id, new["Tags"]))
        if gone:
            self.client.delete_tags(Tags=_tags(id, gone))

    def delete(self, id: str) -> None:
        self.client.delete_auto_scaling_group(AutoScalingGroupName=id, ForceDelete=True)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("describe_auto_scaling_groups").paginate()
        return [group["AutoScalingGroupName"] for page in pages for group in page["AutoScalingGroups"]]

    def arn(self, id: str) -> str | None:
        found = self.read_or_none(id)
        return found["AutoScalingGroupARN"] if found else None


class LaunchConfiguration(Adapter):
    type_name = "AWS::AutoScaling::LaunchConfiguration"
    service = "autoscaling"
    name_property = "LaunchConfigurationName"
    name_limit = 255
    tag_property = None

    _NAMES = (
        "ImageId",
        "InstanceType",
        "KeyName",
        "SecurityGroups",
        "UserData",
        "EbsOptimized",
        "IamInstanceProfile",
        "AssociatePublicIpAddress",
        "SpotPrice",
    )

    def create(self, name: str, properties: Properties) -> str:
        call = pick(properties, *self._NAMES)
        if "InstanceMonitoring" in properties:
            call["InstanceMonitoring"] = {"Enabled": properties["InstanceMonitoring"]}
        self.client.create_launch_configuration(LaunchConfigurationName=name, **call)
        return name

    def read(self, id: str) -> Properties | None:
        answer = self.client.describe_launch_configurations(LaunchConfigurationNames=[id])
        if not answer["LaunchConfigurations"]:
            return None
        found = answer["LaunchConfigurations"][0]
        monitored = found.get("InstanceMonitoring", {}).get("Enabled")
        shown = {"LaunchConfigurationName": id, **pick(found, *self._NAMES)}
        return {**shown, **({} if monitored is None else {"InstanceMonitoring": monitored})}

    def delete(self, id: str) -> None:
        self.client.delete_launch_configuration(LaunchConfigurationName=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("describe_launch_configurations").paginate()
        return [c["LaunchConfigurationName"] for page in pages for c in page["LaunchConfigurations"]]


class ScalingPolicy(Adapter):
    type_name = "AWS::AutoScaling::ScalingPolicy"
    service = "autoscaling"
    tag_property = None

    _NAMES = (
        "PolicyType",
        "AdjustmentType",
        "ScalingAdjustment",
        "MetricAggregationType",
        "EstimatedInstanceWarmup",
        "StepAdjustments",
        "TargetTrackingConfiguration",
    )

    def create(self, name: str, properties: Properties) -> str:
        group = properties["AutoScalingGroupName"]
        call = pick(properties, *self._NAMES)
        if "Cooldown" in properties:
            call["Cooldown"] = int(properties["Cooldown"])
        self.client.put_scaling_policy(AutoScalingGroupName=group, PolicyName=name, **call)
        # PutScalingPolicy of moto answers no ARN.
        where = {"AutoScalingGroupName": group, "PolicyNames": [name]}
        return str(self.client.describe_policies(**where)["ScalingPolicies"][0]["PolicyARN"])

    def read(self, id: str) -> Properties | None:
        for policy in self._policies():
            if policy["PolicyARN"] == id:
                shown = pick(policy, "AutoScalingGroupName", "PolicyName", *self._NAMES)
                tracking = shown.get("TargetTrackingConfiguration")
                if tracking:
                    shown["TargetTrackingConfiguration"] = _tracking(tracking)
                if policy.get("Cooldown") is not None:
                    shown["Cooldown"] = str(policy["Cooldown"])
                return {"Arn": id, **shown}
        return None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.create(id.partition("policyName/")[2], new)

    def delete(self, id: str) -> None:
        found = self.read_or_none(id)
        if found:
            group, name = found["AutoScalingGroupName"], found["PolicyName"]
            self.client.delete_policy(AutoScalingGroupName=group, PolicyName=name)

    def list_ids(self) -> list[str]:
        return [policy["PolicyARN"] for policy in self._policies()]

    def arn(self, id: str) -> str | None:
        return id

    def _policies(self) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("describe_policies").paginate()
        return [policy for page in pages for policy in page["ScalingPolicies"]]


class ScheduledAction(Adapter):
    """The id is the name that CloudFormation generates; AWS finds the group in the stack."""

    type_name = "AWS::AutoScaling::ScheduledAction"
    service = "autoscaling"
    tag_property = None

    _NAMES = ("MinSize", "MaxSize", "DesiredCapacity", "Recurrence", "TimeZone", "StartTime", "EndTime")

    def create(self, name: str, properties: Properties) -> str:
        group = properties["AutoScalingGroupName"]
        self.client.put_scheduled_update_group_action(
            AutoScalingGroupName=group, ScheduledActionName=name, **pick(properties, *self._NAMES)
        )
        return name

    def read(self, id: str) -> Properties | None:
        for action in self._actions():
            if action["ScheduledActionName"] == id:
                shown = pick(action, "ScheduledActionName", "AutoScalingGroupName", *self._NAMES)
                return {k: _instant(v) for k, v in shown.items()}
        return None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.create(id, new)

    def delete(self, id: str) -> None:
        found = self.read(id)
        if found:
            group = found["AutoScalingGroupName"]
            self.client.delete_scheduled_action(AutoScalingGroupName=group, ScheduledActionName=id)

    def list_ids(self) -> list[str]:
        return [action["ScheduledActionName"] for action in self._actions()]

    def identifier(self, id: str) -> str | None:
        found = self.read(id)
        return f"{id}|{found['AutoScalingGroupName']}" if found else None

    def _actions(self) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("describe_scheduled_actions").paginate()
        return [action for page in pages for action in page["ScheduledUpdateGroupActions"]]


class LifecycleHook(Adapter):
    """``Ref`` is the hook's name; its group is kept beside it, or follows a bar where nothing was kept.

    Moto answers a target and a role of its own for every hook, so the declared ones are kept as well.
    """

    type_name = "AWS::AutoScaling::LifecycleHook"
    service = "autoscaling"
    name_property = "LifecycleHookName"
    name_limit = 255
    tag_property = None

    _NAMES = ("LifecycleTransition", "DefaultResult", "HeartbeatTimeout")
    _KEPT = ("NotificationMetadata", "NotificationTargetARN", "RoleARN")

    def create(self, name: str, properties: Properties) -> str:
        group = properties["AutoScalingGroupName"]
        given = {"AutoScalingGroupName": group, "LifecycleHookName": name}
        self.client.put_lifecycle_hook(**given, **pick(properties, *self._NAMES, *self._KEPT))
        self._kept()[name] = pick(properties, "AutoScalingGroupName", *self._KEPT)
        return name

    def read(self, id: str) -> Properties | None:
        name, _, group = id.partition("|")
        kept = {} if group else self._kept().get(name, {})
        group = group or kept.get("AutoScalingGroupName", "")
        for hook in self._of_group(group) if group else ():
            if hook["LifecycleHookName"] == name:
                return {
                    **pick(hook, "LifecycleHookName", *self._NAMES),
                    "AutoScalingGroupName": group,
                    **kept,
                }
        return None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.create(id.partition("|")[0], new)

    def delete(self, id: str) -> None:
        if (found := self.read(id)) is not None:
            self.client.delete_lifecycle_hook(**pick(found, "AutoScalingGroupName", "LifecycleHookName"))

    def list_ids(self) -> list[str]:
        kept = {name: found["AutoScalingGroupName"] for name, found in self._kept().items()}
        ids = []
        for page in self.client.get_paginator("describe_auto_scaling_groups").paginate():
            for group in (found["AutoScalingGroupName"] for found in page["AutoScalingGroups"]):
                names = [hook["LifecycleHookName"] for hook in self._of_group(group)]
                ids += [name if kept.get(name) == group else f"{name}|{group}" for name in names]
        return ids

    def _kept(self) -> dict[str, Properties]:
        return self.context.store("types.autoscaling.hooks")

    def _of_group(self, group: str) -> list[dict[str, Any]]:
        answer = self.client.describe_lifecycle_hooks(AutoScalingGroupName=group)
        return list(answer.get("LifecycleHooks", ()))


def _arguments(properties: Properties) -> Properties:
    call = pick(properties, *_GROUP)
    for name in _NUMBERS:
        if name in properties:
            call[_CALLED.get(name, name)] = int(properties[name])
    if "VPCZoneIdentifier" in properties:
        call["VPCZoneIdentifier"] = ",".join(properties["VPCZoneIdentifier"])
    return call


def _tags(group: str, tags: list[dict[str, Any]]) -> list[dict[str, Any]]:
    about = {"ResourceId": group, "ResourceType": "auto-scaling-group"}
    return [{"PropagateAtLaunch": False, **tag, **about} for tag in tags]


def _tracking(configuration: Properties) -> Properties:
    shown = {k: v for k, v in configuration.items() if v not in ([], {}, None)}
    target = shown.get("TargetValue")
    if isinstance(target, float) and target.is_integer():
        shown["TargetValue"] = int(target)
    if "CustomizedMetricSpecification" in shown and "PredefinedMetricSpecification" in shown:
        del shown["CustomizedMetricSpecification"]
    return shown


def _instant(value: Any) -> Any:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, dt.datetime) else value
