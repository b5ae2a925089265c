"""VPCs, subnets and security groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from driftguard.sandbox.types.base import Adapter, Properties, pick, tag_changes, tag_list


class _Ec2(Adapter):
    service = "ec2"

    def _retag(self, id: str, old: Properties, new: Properties) -> None:
        set_tags, remove = tag_changes(old, new)
        if set_tags:
            self.client.create_tags(Resources=[id], Tags=tag_list(set_tags))
        if remove:
            self.client.delete_tags(Resources=[id], Tags=[{"Key": key} for key in remove])


class Vpc(_Ec2):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-vpc.html"""

    type_name = "AWS::EC2::VPC"

    def create(self, name: str, properties: Properties) -> str:
        vpc = self.client.create_vpc(**pick(properties, "CidrBlock", "InstanceTenancy"))["Vpc"]["VpcId"]
        self.update(str(vpc), {}, properties)
        return str(vpc)

    def read(self, id: str) -> Properties:
        found = self.client.describe_vpcs(VpcIds=[id])["Vpcs"][0]
        groups = self.client.describe_security_groups(
            Filters=[{"Name": "vpc-id", "Values": [id]}, {"Name": "group-name", "Values": ["default"]}]
        )["SecurityGroups"]
        tags = tag_list(found.get("Tags"))
        return {
            **pick(found, "VpcId", "CidrBlock", "InstanceTenancy"),
            "EnableDnsSupport": self._flag(id, "EnableDnsSupport"),
            "EnableDnsHostnames": self._flag(id, "EnableDnsHostnames"),
            "CidrBlockAssociations": [
                a["AssociationId"] for a in found.get("CidrBlockAssociationSet", []) if "AssociationId" in a
            ],
            **({"DefaultSecurityGroup": groups[0]["GroupId"]} if groups else {}),
            **({"Tags": tags} if tags else {}),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        for name in ("EnableDnsSupport", "EnableDnsHostnames"):
            if old.get(name) != new.get(name) and name in new:
                self.client.modify_vpc_attribute(VpcId=id, **{name: {"Value": new[name]}})
        self._retag(id, old, new)

    def delete(self, id: str) -> None:
        self.client.delete_vpc(VpcId=id)

    def list_ids(self) -> list[str]:
        return [vpc["VpcId"] for vpc in self.client.describe_vpcs()["Vpcs"]]

    def arn(self, id: str) -> str:
        context = self.context
        return f"arn:{context.partition}:ec2:{context.region}:{context.account}:vpc/{id}"

    def _flag(self, id: str, name: str) -> bool:
        attribute = name[0].lower() + name[1:]
        return bool(self.client.describe_vpc_attribute(VpcId=id, Attribute=attribute)[name]["Value"])


class Subnet(_Ec2):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-subnet.html"""

    type_name = "AWS::EC2::Subnet"

    def create(self, name: str, properties: Properties) -> str:
        wanted = pick(properties, "VpcId", "CidrBlock", "AvailabilityZone", "Ipv6CidrBlock")
        subnet = str(self.client.create_subnet(**wanted)["Subnet"]["SubnetId"])
        self.update(subnet, {}, properties)
        return subnet

    def read(self, id: str) -> Properties:
        found = self.client.describe_subnets(SubnetIds=[id])["Subnets"][0]
        tags = tag_list(found.get("Tags"))
        return {
            **pick(found, "SubnetId", "VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId"),
            "MapPublicIpOnLaunch": found["MapPublicIpOnLaunch"],
            **({"Tags": tags} if tags else {}),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        before, after = (p.get("MapPublicIpOnLaunch", False) for p in (old, new))
        if before != after:
            self.client.modify_subnet_attribute(SubnetId=id, MapPublicIpOnLaunch={"Value": after})
        self._retag(id, old, new)

    def delete(self, id: str) -> None:
        self.client.delete_subnet(SubnetId=id)

    def list_ids(self) -> list[str]:
        return [subnet["SubnetId"] for subnet in self.client.describe_subnets()["Subnets"]]

    def arn(self, id: str) -> str:
        context = self.context
        return f"arn:{context.partition}:ec2:{context.region}:{context.account}:subnet/{id}"


_EGRESS_TO_ALL = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
"""The rule that every new group in a VPC has, and that a declared egress rule takes the place of."""


class SecurityGroup(_Ec2):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroup.html"""

    type_name = "AWS::EC2::SecurityGroup"
    name_property = "GroupName"
    name_limit = 255
    unordered = ("SecurityGroupEgress", "SecurityGroupIngress", "Tags")

    def create(self, name: str, properties: Properties) -> str:
        group = self.client.create_security_group(
            GroupName=name, Description=properties["GroupDescription"], **pick(properties, "VpcId")
        )["GroupId"]
        before = {"SecurityGroupEgress": [_EGRESS_TO_ALL]} if properties.get("SecurityGroupEgress") else {}
        self.update(str(group), before, properties)
        return str(group)

    def read(self, id: str) -> Properties:
        found = self.client.describe_security_groups(GroupIds=[id])["SecurityGroups"][0]
        ingress = list(rules(found["IpPermissions"], "Source"))
        egress = list(rules(found["IpPermissionsEgress"], "Destination"))
        tags = tag_list(found.get("Tags"))
        return {
            "Id": id,
            "GroupDescription": found["Description"],
            **pick(found, "GroupId", "GroupName", "VpcId"),
            **({"SecurityGroupIngress": ingress} if ingress else {}),
            **({"SecurityGroupEgress": egress} if egress else {}),
            **({"Tags": tags} if tags else {}),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        for name, way in (("SecurityGroupIngress", "ingress"), ("SecurityGroupEgress", "egress")):
            before, after = ([_text(rule) for rule in p.get(name) or []] for p in (old, new))
            gone = [permission(rule) for rule in before if rule not in after]
            come = [permission(rule) for rule in after if rule not in before]
            if gone:
                getattr(self.client, f"revoke_security_group_{way}")(GroupId=id, IpPermissions=gone)
            if come:
                getattr(self.client, f"authorize_security_group_{way}")(GroupId=id, IpPermissions=come)
        self._retag(id, old, new)

    def delete(self, id: str) -> None:
        self.client.delete_security_group(GroupId=id)

    def list_ids(self) -> list[str]:
        return [group["GroupId"] for group in self.client.describe_security_groups()["SecurityGroups"]]

    def arn(self, id: str) -> str:
        context = self.context
        return f"arn:{context.partition}:ec2:{context.region}:{context.account}:security-group/{id}"


def _text(rule: Mapping[str, Any]) -> Properties:
    return {**rule, "IpProtocol": str(rule["IpProtocol"])}


def rules(permissions: Iterable[Mapping[str, Any]], side: str) -> Iterator[Properties]:
    """EC2's permissions as CloudFormation's rules, one for each peer; ``side`` is Source or Destination."""
    for entry in permissions:
        base = {"IpProtocol": entry["IpProtocol"], **pick(entry, "FromPort", "ToPort")}
        for peer in entry.get("IpRanges", []):
            yield {**base, "CidrIp": peer["CidrIp"], **pick(peer, "Description")}
        for peer in entry.get("Ipv6Ranges", []):
            yield {**base, "CidrIpv6": peer["CidrIpv6"], **pick(peer, "Description")}
        for peer in entry.get("PrefixListIds", []):
            yield {**base, f"{side}PrefixListId": peer["PrefixListId"], **pick(peer, "Description")}
        for peer in entry.get("UserIdGroupPairs", []):
            yield {**base, f"{side}SecurityGroupId": peer["GroupId"], **pick(peer, "Description")}


def permission(rule: Mapping[str, Any]) -> Properties:
    """CloudFormation's rule as a permission of EC2's API."""
    told = pick(rule, "Description")
    found: Properties = {"IpProtocol": str(rule["IpProtocol"]), **pick(rule, "FromPort", "ToPort")}
    if "CidrIp" in rule:
        found["IpRanges"] = [{"CidrIp": rule["CidrIp"], **told}]
    if "CidrIpv6" in rule:
        found["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **told}]
    if prefix_list := rule.get("SourcePrefixListId") or rule.get("DestinationPrefixListId"):
        found["PrefixListIds"] = [{"PrefixListId": prefix_list, **told}]
    if group := rule.get("SourceSecurityGroupId") or rule.get("DestinationSecurityGroupId"):
        found["UserIdGroupPairs"] = [{"GroupId": group, **told}]
    return found
