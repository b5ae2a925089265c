"""CodeDeploy: applications, deployment groups and configurations."""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.types.base import (
    Adapter,
    Properties,
    pick,
    upper_first,
)

_GROUP = (
    "DeploymentConfigName",
    "ServiceRoleArn",
    "DeploymentStyle",
    "AutoRollbackConfiguration",
    "BlueGreenDeploymentConfiguration",
    "LoadBalancerInfo",
    "AutoScalingGroups",
    "Ec2TagFilters",
    "TriggerConfigurations",
    "OutdatedInstancesStrategy",
)


class Application(Adapter):
    type_name = "AWS::CodeDeploy::Application"
    service = "codedeploy"
    name_property = "ApplicationName"
    name_limit = 100
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        platform = properties.get("ComputePlatform", "Server")
        self.client.create_application(applicationName=name, computePlatform=platform)
        return name

    def read(self, id: str) -> Properties | None:
        found = self.client.get_application(applicationName=id)["application"]
        return {"ApplicationName": id, "ComputePlatform": found["computePlatform"]}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        """Everything but tags is create-only."""

    def delete(self, id: str) -> None:
        self.client.delete_application(applicationName=id)

    def list_ids(self) -> list[str]:
        return list(self.client.list_applications()["applications"])


class DeploymentConfig(Adapter):
    type_name = "AWS::CodeDeploy::DeploymentConfig"
    service = "codedeploy"
    name_property = "DeploymentConfigName"
    name_limit = 100
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        call = _lower(pick(properties, "ComputePlatform", "TrafficRoutingConfig", "MinimumHealthyHosts"))
        self.client.create_deployment_config(deploymentConfigName=name, **call)
        return name

    def read(self, id: str) -> Properties | None:
        found = self.client.get_deployment_config(deploymentConfigName=id)["deploymentConfigInfo"]
        shown = pick(
            upper_first(found),
            "DeploymentConfigName",
            "ComputePlatform",
            "TrafficRoutingConfig",
            "MinimumHealthyHosts",
        )
        return shown

    def delete(self, id: str) -> None:
        self.client.delete_deployment_config(deploymentConfigName=id)

    def list_ids(self) -> list[str]:
        names = self.client.list_deployment_configs()["deploymentConfigsList"]
        # Those called CodeDeployDefault.* come with every account.
        return [name for name in names if not name.startswith("CodeDeployDefault.")]


class DeploymentGroup(Adapter):
    """Alarms are kept here: moto takes them and shows none.

    ``Ref`` is the name of the group alone; which application it belongs to is kept beside it.

    AWS looks it up in the records of the stack, which an adapter does not have.
    """

    type_name = "AWS::CodeDeploy::DeploymentGroup"
    service = "codedeploy"
    name_property = "DeploymentGroupName"
    name_limit = 100
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        application = properties["ApplicationName"]
        self.client.create_deployment_group(
            applicationName=application, deploymentGroupName=name, **self._arguments(properties)
        )
        self.context.store("types.codedeploy.groups")[name] = application
        self._keep_alarms(name, properties)
        return name

    def read(self, id: str) -> Properties | None:
        where = self._where(id)
        if where is None:
            return None
        found = self.client.get_deployment_group(**where)["deploymentGroupInfo"]
        shown = pick(upper_first(found), *_GROUP)
        services = found.get("ecsServices") or []
        if services:
            shown["ECSServices"] = [upper_first(service) for service in services]
        named: Properties = {"ApplicationName": where["applicationName"], "DeploymentGroupName": id}
        if alarms := self.context.store("types.codedeploy.alarms").get(id):
            named = {**named, "AlarmConfiguration": alarms}
        return {**named, **{k: _lean(v) for k, v in shown.items()}}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        where = self._where(id)
        assert where is not None
        self.client.update_deployment_group(
            applicationName=where["applicationName"],
            currentDeploymentGroupName=id,
            **self._arguments({k: v for k, v in new.items() if old.get(k) != v}),
        )
        self._keep_alarms(id, new)

    def _keep_alarms(self, name: str, properties: Properties) -> None:
        self.context.store("types.codedeploy.alarms")[name] = properties.get("AlarmConfiguration")

    def delete(self, id: str) -> None:
        where = self._where(id)
        if where:
            self.client.delete_deployment_group(**where)

    def list_ids(self) -> list[str]:
        applications = self.client.list_applications()["applications"]
        answers = [self.client.list_deployment_groups(applicationName=a) for a in applications]
        return [name for answer in answers for name in answer["deploymentGroups"]]

    def identifier(self, id: str) -> str | None:
        where = self._where(id)
        return f"{where['applicationName']}|{id}" if where else None

    def _arguments(self, properties: Properties) -> dict[str, Any]:
        call: dict[str, Any] = _lower(pick(properties, *_GROUP))
        if "ECSServices" in properties:
            call["ecsServices"] = _lower(properties["ECSServices"])
        return call

    def _where(self, id: str) -> dict[str, str] | None:
        """The application of a group: as it was made here, or else the first that has such a group."""
        if known := self.context.store("types.codedeploy.groups").get(id):
            return {"applicationName": known, "deploymentGroupName": id}
        for application in self.client.list_applications()["applications"]:
            groups = self.client.list_deployment_groups(applicationName=application)["deploymentGroups"]
            if id in groups:
                return {"applicationName": application, "deploymentGroupName": id}
        return None


def _lower(value: Any) -> Any:
    """First letters lowered; CodeDeploy's API writes EC2 and ECS prefixes in lower case throughout."""
    if isinstance(value, dict):
        return {k[0].lower() + k[1:]: _lower(v) for k, v in value.items()}
    return [_lower(v) for v in value] if isinstance(value, list) else value


def _lean(value: Any) -> Any:
    """Without empty members, which CodeDeploy answers for what was not said."""
    if isinstance(value, dict):
        return {k: _lean(v) for k, v in value.items() if v not in ([], {}, None)}
    return [_lean(v) for v in value] if isinstance(value, list) else value
