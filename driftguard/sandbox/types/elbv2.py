"""Elastic Load Balancing: load balancers, target groups, listeners and their rules."""

from __future__ import annotations

from typing import Any, ClassVar

from driftguard.sandbox.types.base import Adapter, Properties, changed, pick, tag_changes, tag_list

_HEALTH = (
    "HealthCheckEnabled",
    "HealthCheckIntervalSeconds",
    "HealthCheckPath",
    "HealthCheckPort",
    "HealthCheckProtocol",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
    "Matcher",
)
_ACTION = ("Type", "TargetGroupArn", "Order", "RedirectConfig", "FixedResponseConfig", "ForwardConfig")


class _Elb(Adapter):
    service = "elbv2"
    name_limit = 32
    argument: ClassVar[str] = ""

    def tags(self, arn: str) -> Properties:
        described = self.client.describe_tags(ResourceArns=[arn])["TagDescriptions"]
        tags = tag_list(described[0]["Tags"]) if described else []
        return {"Tags": tags} if tags else {}

    def retag(self, arn: str, old: Properties, new: Properties) -> None:
        added, removed = tag_changes(old, new)
        if added:
            self.client.add_tags(ResourceArns=[arn], Tags=tag_list(added))
        if removed:
            self.client.remove_tags(ResourceArns=[arn], TagKeys=removed)

    def arn(self, id: str) -> str | None:
        return id


class LoadBalancer(_Elb):
    type_name = "AWS::ElasticLoadBalancingV2::LoadBalancer"
    name_property = "Name"
    unordered = ("Tags", "Subnets", "SecurityGroups", "LoadBalancerAttributes")

    def create(self, name: str, properties: Properties) -> str:
        call = pick(properties, "Subnets", "SecurityGroups", "Scheme", "Type", "IpAddressType", "Tags")
        made = self.client.create_load_balancer(Name=name, **call)
        arn = str(made["LoadBalancers"][0]["LoadBalancerArn"])
        self._attributes(arn, properties)
        return arn

    def read(self, id: str) -> Properties | None:
        found = self.client.describe_load_balancers(LoadBalancerArns=[id])["LoadBalancers"][0]
        attributes = self.client.describe_load_balancer_attributes(LoadBalancerArn=id)["Attributes"]
        return {
            "Name": found["LoadBalancerName"],
            "LoadBalancerName": found["LoadBalancerName"],
            "LoadBalancerFullName": id.partition(":loadbalancer/")[2],
            **pick(found, "LoadBalancerArn", "DNSName", "Scheme", "Type", "IpAddressType", "SecurityGroups"),
            **({"CanonicalHostedZoneID": found["CanonicalHostedZoneId"]}),
            "Subnets": [zone["SubnetId"] for zone in found["AvailabilityZones"]],
            "LoadBalancerAttributes": [pick(a, "Key", "Value") for a in attributes if a.get("Value")],
            **self.tags(id),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "SecurityGroups"):
            self.client.set_security_groups(LoadBalancerArn=id, SecurityGroups=new["SecurityGroups"])
        if changed(old, new, "Subnets"):
            self.client.set_subnets(LoadBalancerArn=id, Subnets=new["Subnets"])
        if changed(old, new, "LoadBalancerAttributes"):
            self._attributes(id, new)
        self.retag(id, old, new)

    def delete(self, id: str) -> None:
        self.client.delete_load_balancer(LoadBalancerArn=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("describe_load_balancers").paginate()
        return [lb["LoadBalancerArn"] for page in pages for lb in page["LoadBalancers"]]

    def _attributes(self, arn: str, properties: Properties) -> None:
        if wanted := properties.get("LoadBalancerAttributes"):
            self.client.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=wanted)


class TargetGroup(_Elb):
    type_name = "AWS::ElasticLoadBalancingV2::TargetGroup"
    name_property = "Name"
    unordered = ("Tags", "TargetGroupAttributes", "Targets")

    def create(self, name: str, properties: Properties) -> str:
        call = pick(
            properties, "Port", "Protocol", "ProtocolVersion", "VpcId", "TargetType", "Tags", *_HEALTH
        )
        arn = str(self.client.create_target_group(Name=name, **call)["TargetGroups"][0]["TargetGroupArn"])
        self._attributes(arn, properties)
        if properties.get("Targets"):
            self.client.register_targets(TargetGroupArn=arn, Targets=properties["Targets"])
        return arn

    def read(self, id: str) -> Properties | None:
        found = self.client.describe_target_groups(TargetGroupArns=[id])["TargetGroups"][0]
        attributes = self.client.describe_target_group_attributes(TargetGroupArn=id)["Attributes"]
        return {
            "Name": found["TargetGroupName"],
            "TargetGroupName": found["TargetGroupName"],
            "TargetGroupFullName": id.rpartition(":")[2],
            **pick(found, "TargetGroupArn", "Port", "Protocol", "ProtocolVersion", "VpcId", "TargetType"),
            **pick(found, "LoadBalancerArns", *_HEALTH),
            "TargetGroupAttributes": [pick(a, "Key", "Value") for a in attributes if a.get("Value")],
            **self.tags(id),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, *_HEALTH):
            self.client.modify_target_group(TargetGroupArn=id, **pick(new, *_HEALTH))
        if changed(old, new, "TargetGroupAttributes"):
            self._attributes(id, new)
        self.retag(id, old, new)

    def delete(self, id: str) -> None:
        self.client.delete_target_group(TargetGroupArn=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("describe_target_groups").paginate()
        return [group["TargetGroupArn"] for page in pages for group in page["TargetGroups"]]

    def _attributes(self, arn: str, properties: Properties) -> None:
        if wanted := properties.get("TargetGroupAttributes"):
            self.client.modify_target_group_attributes(TargetGroupArn=arn, Attributes=wanted)


class Listener(_Elb):
    type_name = "AWS::ElasticLoadBalancingV2::Listener"
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        call = pick(
            properties, "LoadBalancerArn", "Port", "Protocol", "Certificates", "SslPolicy", "DefaultActions"
        )
        return str(self.client.create_listener(**call)["Listeners"][0]["ListenerArn"])

    def read(self, id: str) -> Properties | None:
        found = self.client.describe_listeners(ListenerArns=[id])["Listeners"][0]
        shown = pick(found, "ListenerArn", "LoadBalancerArn", "Port", "Protocol")
        if found.get("Protocol") in ("HTTPS", "TLS"):  # moto shows a policy on plain listeners too
            shown.update(pick(found, "Certificates", "SslPolicy"))
        return {**shown, "DefaultActions": [_action(action) for action in found["DefaultActions"]]}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        call = pick(new, "Port", "Protocol", "Certificates", "SslPolicy", "DefaultActions")
        self.client.modify_listener(ListenerArn=id, **call)

    def delete(self, id: str) -> None:
        self.client.delete_listener(ListenerArn=id)

    def list_ids(self) -> list[str]:
        balancers = self.client.describe_load_balancers()["LoadBalancers"]
        answers = [self.client.describe_listeners(LoadBalancerArn=b["LoadBalancerArn"]) for b in balancers]
        return [listener["ListenerArn"] for answer in answers for listener in answer["Listeners"]]


class ListenerRule(_Elb):
    """``ListenerArn`` is write-only in the registry schema: AWS does not read it back."""

    type_name = "AWS::ElasticLoadBalancingV2::ListenerRule"
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        made = self.client.create_rule(
            ListenerArn=properties["ListenerArn"],
            Priority=int(properties["Priority"]),
            Conditions=properties["Conditions"],
            Actions=properties["Actions"],
        )
        return str(made["Rules"][0]["RuleArn"])

    def read(self, id: str) -> Properties | None:
        found = self.client.describe_rules(RuleArns=[id])["Rules"][0]
        priority = found["Priority"]
        return {
            "RuleArn": id,
            "IsDefault": found["IsDefault"],
            "Priority": int(priority) if str(priority).isdigit() else priority,
            "Conditions": [_condition(condition) for condition in found["Conditions"]],
            "Actions": [_action(action) for action in found["Actions"]],
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "Conditions", "Actions"):
            self.client.modify_rule(RuleArn=id, Conditions=new["Conditions"], Actions=new["Actions"])
        if changed(old, new, "Priority"):
            priority = {"RuleArn": id, "Priority": int(new["Priority"])}
            self.client.set_rule_priorities(RulePriorities=[priority])

    def delete(self, id: str) -> None:
        self.client.delete_rule(RuleArn=id)


def _action(action: dict[str, Any]) -> Properties:
    """An action as it was written: AWS answers a single target group in both of its forms."""
    shown = pick(action, *_ACTION)
    groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
    if len(groups) == 1 and "TargetGroupArn" not in shown:
        shown["TargetGroupArn"] = groups[0]["TargetGroupArn"]
    if len(groups) < 2:
        shown.pop("ForwardConfig", None)
    return shown


def _condition(condition: dict[str, Any]) -> Properties:
    """A condition with its config; the older ``Values`` only where no config is shown."""
    configs = [key for key in condition if key.endswith("Config")]
    return pick(condition, "Field", *(configs or ["Values"]))
