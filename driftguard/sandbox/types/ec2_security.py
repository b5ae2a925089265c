"""EC2: what guards and watches a network."""

from __future__ import annotations

from typing import Any, ClassVar

from driftguard.sandbox.types.base import Properties, as_text, changed, document, pick
from driftguard.sandbox.types.ec2_base import Ec2Adapter, tags_of


class _Rule(Ec2Adapter):
    """One rule of a security group, made by a resource of its own; the id is ``sgr-...``."""

    tag_property = None
    egress: ClassVar[bool] = False
    group: ClassVar[str] = "SourceSecurityGroupId"
    prefixes: ClassVar[str] = "SourcePrefixListId"
    describe = (
        "describe_security_group_rules",
        "SecurityGroupRuleIds",
        "SecurityGroupRules",
        "SecurityGroupRuleId",
    )

    def create(self, name: str, properties: Properties) -> str:
        allow = "authorize_security_group_egress" if self.egress else "authorize_security_group_ingress"
        before = self._rules(properties["GroupId"])
        made = getattr(self.client, allow)(
            GroupId=properties["GroupId"], IpPermissions=[self._permission(properties)]
        )
        # moto answers without the new rules in some calls; what was not there before is ours.
        rules = made.get("SecurityGroupRules") or [
            rule for rule in self._rules(properties["GroupId"]) if rule not in before
        ]
        return str(rules[0]["SecurityGroupRuleId"])

    def read(self, id: str) -> Properties | None:
        found = self.found(id)
        if found is None or found["IsEgress"] != self.egress:
            return None
        shown = {"Id": id, **pick(found, "GroupId", "IpProtocol", "Description")}
        if found["IpProtocol"] != "-1":
            shown.update(pick(found, "FromPort", "ToPort"))
        ranges = {"CidrIp": found.get("CidrIpv4"), "CidrIpv6": found.get("CidrIpv6")}
        shown.update(pick(ranges, "CidrIp", "CidrIpv6"))
        if referenced := found.get("ReferencedGroupInfo", {}).get("GroupId"):
            shown[self.group] = referenced
            if about := self._about(found, referenced):
                shown["Description"] = about
        if found.get("PrefixListId"):
            shown[self.prefixes] = found["PrefixListId"]
        return shown

    def update(self, id: str, old: Properties, new: Properties) -> None:
        describe = (
            "update_security_group_rule_descriptions_egress"
            if self.egress
            else "update_security_group_rule_descriptions_ingress"
        )
        getattr(self.client, describe)(GroupId=new["GroupId"], IpPermissions=[self._permission(new)])

    def delete(self, id: str) -> None:
        shown = self.read_or_none(id)
        if shown is None:
            return
        forbid = "revoke_security_group_egress" if self.egress else "revoke_security_group_ingress"
        getattr(self.client, forbid)(GroupId=shown["GroupId"], IpPermissions=[self._permission(shown)])

    def list_ids(self) -> list[str]:
        rules = self.client.describe_security_group_rules()["SecurityGroupRules"]
        return [rule["SecurityGroupRuleId"] for rule in rules if rule["IsEgress"] == self.egress]

    def _rules(self, group: str) -> list[dict[str, Any]]:
        filters = [{"Name": "group-id", "Values": [group]}]
        rules = self.client.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
        return [rule for rule in rules if rule["IsEgress"] == self.egress]

    def _about(self, rule: dict[str, Any], group: str) -> str:
        """The description of a rule for a group, which moto shows in the group's permissions only."""
        owner = self.client.describe_security_groups(GroupIds=[rule["GroupId"]])["SecurityGroups"][0]
        for permission in owner["IpPermissionsEgress" if self.egress else "IpPermissions"]:
            if pick(permission, "FromPort", "ToPort") == pick(rule, "FromPort", "ToPort"):
                for pair in permission.get("UserIdGroupPairs", []):
                    if pair["GroupId"] == group:
                        return str(pair.get("Description", ""))
        return ""

    def _permission(self, rule: Properties) -> dict[str, Any]:
        about = pick(rule, "Description")
        permission: dict[str, Any] = {"IpProtocol": str(rule["IpProtocol"])}
        permission.update({key: int(rule[key]) for key in ("FromPort", "ToPort") if key in rule})
        if "CidrIp" in rule:
            permission["IpRanges"] = [{"CidrIp": rule["CidrIp"], **about}]
        if "CidrIpv6" in rule:
            permission["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **about}]
        if self.group in rule:
            permission["UserIdGroupPairs"] = [{"GroupId": rule[self.group], **about}]
        if self.prefixes in rule:
            permission["PrefixListIds"] = [{"PrefixListId": rule[self.prefixes], **about}]
        return permission


class SecurityGroupIngress(_Rule):
    type_name = "AWS::EC2::SecurityGroupIngress"


class SecurityGroupEgress(_Rule):
    type_name = "AWS::EC2::SecurityGroupEgress"
    egress = True
    group = "DestinationSecurityGroupId"
    prefixes = "DestinationPrefixListId"


class NetworkAcl(Ec2Adapter):
    type_name = "AWS::EC2::NetworkAcl"
    kind = "network-acl"
    describe = ("describe_network_acls", "NetworkAclIds", "NetworkAcls", "NetworkAclId")

    def create(self, name: str, properties: Properties) -> str:
        made = self.client.create_network_acl(VpcId=properties["VpcId"], **self.tagged(properties))
        return str(made["NetworkAcl"]["NetworkAclId"])

    def read(self, id: str) -> Properties | None:
        found = self.found(id)
        return {"Id": id, "VpcId": found["VpcId"], **tags_of(found)} if found else None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.retag(id, old, new)

    def delete(self, id: str) -> None:
        self.client.delete_network_acl(NetworkAclId=id)


class FlowLog(Ec2Adapter):
    type_name = "AWS::EC2::FlowLog"
    kind = "vpc-flow-log"
    describe = ("describe_flow_logs", "FlowLogIds", "FlowLogs", "FlowLogId")

    def create(self, name: str, properties: Properties) -> str:
        call = pick(
            properties,
            "ResourceType",
            "TrafficType",
            "LogDestinationType",
            "LogDestination",
            "LogGroupName",
            "DeliverLogsPermissionArn",
            "LogFormat",
            "MaxAggregationInterval",
        )
        made = self.client.create_flow_logs(
            ResourceIds=[properties["ResourceId"]], **call, **self.tagged(properties)
        )
        return str(made["FlowLogIds"][0])

    def read(self, id: str) -> Properties | None:
        found = self.found(id)
        if found is None:
            return None
        kinds = {"vpc": "VPC", "sub": "Subnet", "eni": "NetworkInterface"}
        shown = pick(
            found,
            "ResourceId",
            "TrafficType",
            "LogDestinationType",
            "LogDestination",
            "LogGroupName",
            "DeliverLogsPermissionArn",
            "LogFormat",
            "MaxAggregationInterval",
        )
        kind = kinds.get(found["ResourceId"].split("-")[0].replace("subnet", "sub"), "VPC")
        return {"Id": id, "ResourceType": kind, **shown, **tags_of(found)}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.retag(id, old, new)

    def delete(self, id: str) -> None:
        self.client.delete_flow_logs(FlowLogIds=[id])

    def list_ids(self) -> list[str]:
        return [log["FlowLogId"] for log in self.client.describe_flow_logs()["FlowLogs"]]


class VpcEndpoint(Ec2Adapter):
    type_name = "AWS::EC2::VPCEndpoint"
    kind = "vpc-endpoint"
    unordered = ("Tags", "RouteTableIds", "SubnetIds", "SecurityGroupIds")
    describe = ("describe_vpc_endpoints", "VpcEndpointIds", "VpcEndpoints", "VpcEndpointId")

    def create(self, name: str, properties: Properties) -> str:
        call = pick(
            properties,
            "VpcId",
            "ServiceName",
            "VpcEndpointType",
            "RouteTableIds",
            "SubnetIds",
            "SecurityGroupIds",
            "PrivateDnsEnabled",
        )
        # moto's default is true for every kind; AWS's only for interface endpoints.
        call.setdefault("PrivateDnsEnabled", call.get("VpcEndpointType") == "Interface")
        if "PolicyDocument" in properties:
            call["PolicyDocument"] = as_text(properties["PolicyDocument"])
        made = self.client.create_vpc_endpoint(**call, **self.tagged(properties))
        return str(made["VpcEndpoint"]["VpcEndpointId"])

    def read(self, id: str) -> Properties | None:
        found = self.found(id)
        if found is None or found.get("State") in ("deleting", "deleted"):
            return None
        shown = pick(
            found,
            "VpcId",
            "ServiceName",
            "VpcEndpointType",
            "RouteTableIds",
            "SubnetIds",
            "PrivateDnsEnabled",
        )
        shown["VpcEndpointType"] = found.get("VpcEndpointType") or "Gateway"
        groups = [g["GroupId"] for g in found.get("Groups", [])]
        policy = found.get("PolicyDocument")
        return {
            "Id": id,
            **shown,
            **({"SecurityGroupIds": groups} if groups else {}),
            **({"PolicyDocument": document(policy)} if policy else {}),
            **tags_of(found),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        call: dict[str, Any] = {}
        for key, add, remove in (
            ("RouteTableIds", "AddRouteTableIds", "RemoveRouteTableIds"),
            ("SubnetIds", "AddSubnetIds", "RemoveSubnetIds"),
        ):
            before, after = set(old.get(key, ())), set(new.get(key, ()))
            call.update(pick({add: sorted(after - before), remove: sorted(before - after)}, add, remove))
        if changed(old, new, "PolicyDocument"):
            call["PolicyDocument"] = as_text(new.get("PolicyDocument", {}))
        if call:
            self.client.modify_vpc_endpoint(VpcEndpointId=id, **call)
        self.retag(id, old, new)

    def delete(self, id: str) -> None:
        self.client.delete_vpc_endpoints(VpcEndpointIds=[id])

    def list_ids(self) -> list[str]:
        return [id for id in super().list_ids() if self.read_or_none(id) is not None]
