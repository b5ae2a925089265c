"""ECS: clusters, task definitions, services, task sets."""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.types.base import (
    Adapter,
    Properties,
    changed,
    lower_first,
    pick,
    tag_changes,
    tag_list,
    upper_first,
)

# Maps whose keys belong to the user and keep their case.
_FREE = {"Options", "DockerLabels", "DriverOpts", "Labels"}


class _Ecs(Adapter):
    service = "ecs"

    def retag(self, arn: str, old: Properties, new: Properties) -> None:
        added, removed = tag_changes(old, new)
        if added:
            self.client.tag_resource(resourceArn=arn, tags=_tags(tag_list(added)))
        if removed:
            self.client.untag_resource(resourceArn=arn, tagKeys=removed)


class Cluster(_Ecs):
    type_name = "AWS::ECS::Cluster"
    name_property = "ClusterName"
    name_limit = 255
    unordered = ("Tags", "ClusterSettings", "CapacityProviders")

    def create(self, name: str, properties: Properties) -> str:
        call: dict[str, Any] = {"clusterName": name, "tags": _tags(properties.get("Tags", []))}
        if "ClusterSettings" in properties:
            call["settings"] = lower_first(properties["ClusterSettings"])
        if "CapacityProviders" in properties:
            call["capacityProviders"] = properties["CapacityProviders"]
        self.client.create_cluster(**call)
        return name

    def read(self, id: str) -> Properties | None:
        found = self.client.describe_clusters(clusters=[id], include=["SETTINGS", "TAGS"])["clusters"]
        if not found or found[0]["status"] != "ACTIVE":
            return None
        cluster = upper_first(found[0])
        shown = {"ClusterName": id, "Arn": cluster["ClusterArn"]}
        shown.update(pick({**cluster, "ClusterSettings": cluster.get("Settings")}, "ClusterSettings"))
        return {**shown, **pick(cluster, "CapacityProviders"), **_tagged(found[0])}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "ClusterSettings"):
            settings = lower_first(new.get("ClusterSettings", []))
            self.client.update_cluster(cluster=id, settings=settings)
        self.retag(self.get_attribute(id, "Arn"), old, new)

    def delete(self, id: str) -> None:
        self.client.delete_cluster(cluster=id)

    def list_ids(self) -> list[str]:
        arns = self.client.list_clusters()["clusterArns"]
        return [i for i in (arn.rpartition("/")[2] for arn in arns) if self.read_or_none(i) is not None]


class TaskDefinition(_Ecs):
    """Every change is a new revision, so that all properties but tags are create-only."""

    type_name = "AWS::ECS::TaskDefinition"

    def create(self, name: str, properties: Properties) -> str:
        call = _lower({k: v for k, v in properties.items() if k not in ("Tags", "Family")})
        tags = {"tags": _tags(properties["Tags"])} if properties.get("Tags") else {}
        made = self.client.register_task_definition(family=properties.get("Family", name), **call, **tags)
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def read(self, id: str) -> Properties | None:
        answer = self.client.describe_task_definition(taskDefinition=id, include=["TAGS"])
        found = answer["taskDefinition"]
        if found["status"] != "ACTIVE":
            return None
        shown = pick(
            _upper(found),
            "TaskDefinitionArn",
            "Family",
            "Cpu",
            "Memory",
            "NetworkMode",
            "ExecutionRoleArn",
            "TaskRoleArn",
            "RequiresCompatibilities",
            "Volumes",
            "RuntimePlatform",
            "EphemeralStorage",
        )
        shown["ContainerDefinitions"] = [_container(c) for c in found["containerDefinitions"]]
        return {**shown, **_tagged(answer)}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.retag(id, old, new)

    def delete(self, id: str) -> None:
        self.client.deregister_task_definition(taskDefinition=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("list_task_definitions").paginate(status="ACTIVE")
        return [arn for page in pages for arn in page["taskDefinitionArns"]]

    def arn(self, id: str) -> str | None:
        return id


class Service(_Ecs):
    """``Ref`` is the service's ARN; Cloud Control joins it with the cluster's name."""

    type_name = "AWS::ECS::Service"
    name_property = "ServiceName"
    name_limit = 255
    unordered = (
        "Tags",
        "NetworkConfiguration/AwsvpcConfiguration/Subnets",
        "NetworkConfiguration/AwsvpcConfiguration/SecurityGroups",
    )

    def create(self, name: str, properties: Properties) -> str:
        skipped = ("Tags", "ServiceName", "Role", "DeploymentConfiguration")
        call = _lower({k: v for k, v in properties.items() if k not in skipped})
        if "DeploymentConfiguration" in properties:
            call["deploymentConfiguration"] = lower_first(properties["DeploymentConfiguration"])
        tags = {"tags": _tags(properties["Tags"])} if properties.get("Tags") else {}
        return str(self.client.create_service(serviceName=name, **call, **tags)["service"]["serviceArn"])

    def read(self, id: str) -> Properties | None:
        found = self._found(id)
        if found is None or found["status"] != "ACTIVE":
            return None
        shown = pick(
            _upper(found),
            "ServiceName",
            "ServiceArn",
            "TaskDefinition",
            "LaunchType",
            "PlatformVersion",
            "LoadBalancers",
            "NetworkConfiguration",
            "DeploymentController",
            "SchedulingStrategy",
            "PropagateTags",
        )
        shown["Name"] = found["serviceName"]
        shown["Cluster"] = _cluster(id)
        shown["DesiredCount"] = found["desiredCount"]
        return {**shown, **_tagged(found)}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        names = ("DesiredCount", "TaskDefinition", "NetworkConfiguration")
        call = {name: new[name] for name in names if name in new and new[name] != old.get(name)}
        if call:
            self.client.update_service(cluster=_cluster(id), service=id, **_lower(call))
        self.retag(id, old, new)

    def delete(self, id: str) -> None:
        self.client.delete_service(cluster=_cluster(id), service=id, force=True)

    def list_ids(self) -> list[str]:
        clusters = self.client.list_clusters()["clusterArns"]
        answers = [self.client.list_services(cluster=cluster) for cluster in clusters]
        arns = [arn for answer in answers for arn in answer["serviceArns"]]
        return [arn for arn in arns if self.read_or_none(arn) is not None]

    def arn(self, id: str) -> str | None:
        return id

    def identifier(self, id: str) -> str | None:
        return f"{id}|{_cluster(id)}"

    def _found(self, id: str) -> dict[str, Any] | None:
        services = self.client.describe_services(cluster=_cluster(id), services=[id], include=["TAGS"])
        return dict(services["services"][0]) if services["services"] else None


class TaskSet(_Ecs):
    """The id is ``cluster|service|task set id``, the order of the schema's identifier."""

    type_name = "AWS::ECS::TaskSet"

    def create(self, name: str, properties: Properties) -> str:
        call = _lower({k: v for k, v in properties.items() if k != "Tags"})
        made = self.client.create_task_set(**call)["taskSet"]
        return f"{properties['Cluster']}|{properties['Service']}|{made['id']}"

    def read(self, id: str) -> Properties | None:
        cluster, service, task_set = id.split("|")
        answer = self.client.describe_task_sets(cluster=cluster, service=service, taskSets=[task_set])
        if not answer["taskSets"]:
            return None
        shown = pick(
            _upper(answer["taskSets"][0]),
            "Id",
            "TaskDefinition",
            "LaunchType",
            "PlatformVersion",
            "LoadBalancers",
            "NetworkConfiguration",
            "Scale",
            "ExternalId",
        )
        return {"Cluster": cluster, "Service": service, **shown}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        cluster, service, task_set = id.split("|")
        scale = lower_first(new.get("Scale", {"Value": 100, "Unit": "PERCENT"}))
        self.client.update_task_set(cluster=cluster, service=service, taskSet=task_set, scale=scale)

    def delete(self, id: str) -> None:
        cluster, service, task_set = id.split("|")
        self.client.delete_task_set(cluster=cluster, service=service, taskSet=task_set, force=True)

    def get_attribute(self, id: str, name: str) -> Any:
        return id.rpartition("|")[2] if name == "Id" else super().get_attribute(id, name)

    def identifier(self, id: str) -> str | None:
        return id


def _container(definition: dict[str, Any]) -> Properties:
    """A container without what is empty or zero: ECS fills in absent lists and numbers."""
    shown = {k: v for k, v in _upper(definition).items() if v not in ([], {}, 0, None)}
    ports = [{k: v for k, v in port.items() if v != 0} for port in shown.get("PortMappings", [])]
    return {**shown, "PortMappings": ports} if ports else shown


def _cluster(service_arn: str) -> str:
    return service_arn.split("/")[1]


def _tags(tags: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"key": tag["Key"], "value": tag["Value"]} for tag in tags]


def _tagged(description: dict[str, Any]) -> Properties:
    tags = tag_list(description.get("tags"))
    return {"Tags": tags} if tags else {}


def _lower(value: Any) -> Any:
    if isinstance(value, dict):
        return {k[:1].lower() + k[1:]: v if k in _FREE else _lower(v) for k, v in value.items()}
    return [_lower(v) for v in value] if isinstance(value, list) else value


def _upper(value: Any) -> Any:
    if isinstance(value, dict):
        pairs = ((k[:1].upper() + k[1:], v) for k, v in value.items())
        return {k: v if k in _FREE else _upper(v) for k, v in pairs}
    return [_upper(v) for v in value] if isinstance(value, list) else value
