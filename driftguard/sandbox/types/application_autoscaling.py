"""Application Auto Scaling: scalable targets and their policies."""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.types.base import Adapter, Properties, pick


class ScalableTarget(Adapter):
    """The id is ``resource|dimension|namespace``, as CloudFormation gives it.  ``RoleARN`` is write-only."""

    type_name = "AWS::ApplicationAutoScaling::ScalableTarget"
    service = "application-autoscaling"
    # Stack tags reach a target through TagResource, which moto does not have.
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        call = pick(
            properties,
            "ServiceNamespace",
            "ResourceId",
            "ScalableDimension",
            "MinCapacity",
            "MaxCapacity",
            "RoleARN",
            "SuspendedState",
        )
        self.client.register_scalable_target(**call)
        return "|".join(properties[k] for k in ("ResourceId", "ScalableDimension", "ServiceNamespace"))

    def read(self, id: str) -> Properties | None:
        resource, dimension, namespace = id.split("|")
        answer = self.client.describe_scalable_targets(
            ServiceNamespace=namespace, ResourceIds=[resource], ScalableDimension=dimension
        )
        if not answer["ScalableTargets"]:
            return None
        names = ("ServiceNamespace", "ResourceId", "ScalableDimension", "MinCapacity", "MaxCapacity")
        suspended = {k: v for k, v in answer["ScalableTargets"][0].get("SuspendedState", {}).items() if v}
        shown = pick(answer["ScalableTargets"][0], *names)
        return {"Id": id, **shown, **({"SuspendedState": suspended} if suspended else {})}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.create("", new)

    def delete(self, id: str) -> None:
        resource, dimension, namespace = id.split("|")
        self.client.deregister_scalable_target(
            ServiceNamespace=namespace, ResourceId=resource, ScalableDimension=dimension
        )

    def list_ids(self) -> list[str]:
        targets = [t for namespace in _NAMESPACES for t in self._targets(namespace)]
        return [f"{t['ResourceId']}|{t['ScalableDimension']}|{t['ServiceNamespace']}" for t in targets]

    def identifier(self, id: str) -> str | None:
        return id

    def _targets(self, namespace: str) -> list[dict[str, Any]]:
        return list(self.client.describe_scalable_targets(ServiceNamespace=namespace)["ScalableTargets"])


class ScalingPolicy(Adapter):
    """``ScalingTargetId`` is write-only: AWS shows the three parts that it stands for."""

    type_name = "AWS::ApplicationAutoScaling::ScalingPolicy"
    service = "application-autoscaling"
    name_property = "PolicyName"
    name_limit = 256
    tag_property = None

    _NAMES = (
        "PolicyType",
        "TargetTrackingScalingPolicyConfiguration",
        "StepScalingPolicyConfiguration",
    )

    def create(self, name: str, properties: Properties) -> str:
        where = pick(properties, "ResourceId", "ScalableDimension", "ServiceNamespace")
        if target := properties.get("ScalingTargetId"):
            where = dict(
                zip(("ResourceId", "ScalableDimension", "ServiceNamespace"), target.split("|"), strict=True)
            )
        made = self.client.put_scaling_policy(PolicyName=name, **where, **pick(properties, *self._NAMES))
        return str(made["PolicyARN"])

    def read(self, id: str) -> Properties | None:
        for policy in self._policies(_namespace(id)):
            if policy["PolicyARN"] == id:
                names = ("PolicyName", "ResourceId", "ScalableDimension", "ServiceNamespace", *self._NAMES)
                shown = pick(policy, *names)
                tracking = shown.get("TargetTrackingScalingPolicyConfiguration")
                if tracking and float(tracking["TargetValue"]).is_integer():
                    tracking["TargetValue"] = int(tracking["TargetValue"])
                return {"Arn": id, **shown}
        return None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.create(new.get("PolicyName", id.partition("policyName/")[2]), new)

    def delete(self, id: str) -> None:
        found = self.read(id)
        if found:
            names = ("PolicyName", "ResourceId", "ScalableDimension", "ServiceNamespace")
            self.client.delete_scaling_policy(**pick(found, *names))

    def list_ids(self) -> list[str]:
        return [p["PolicyARN"] for namespace in _NAMESPACES for p in self._policies(namespace)]

    def identifier(self, id: str) -> str | None:
        found = self.read(id)
        return f"{id}|{found['ScalableDimension']}" if found else None

    def arn(self, id: str) -> str | None:
        return id

    def _policies(self, namespace: str) -> list[dict[str, Any]]:
        return list(self.client.describe_scaling_policies(ServiceNamespace=namespace)["ScalingPolicies"])


_NAMESPACES = ("ecs", "dynamodb", "rds", "lambda", "ec2")


def _namespace(arn: str) -> str:
    """The namespace stands after ``resource/`` in a policy's ARN."""
    return arn.partition("resource/")[2].partition("/")[0] or "ecs"
