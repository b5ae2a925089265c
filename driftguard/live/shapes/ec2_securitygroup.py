"""AWS::EC2::SecurityGroup: permissions grouped by protocol and ports become one rule per peer."""

from collections.abc import Iterator

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names, rows
from driftguard.model import Json

COVERAGE = names("GroupDescription GroupName SecurityGroupEgress SecurityGroupIngress VpcId")


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    properties["Id"] = properties["GroupId"] = item.id
    properties["SecurityGroupIngress"] = list(_rules(get(item.configuration, "ipPermissions"), "Source"))
    properties["SecurityGroupEgress"] = list(
        _rules(get(item.configuration, "ipPermissionsEgress"), "Destination")
    )


def _rules(permissions: Json, side: str) -> Iterator[dict[str, Json]]:
    for permission in rows(permissions):
        ports = {
            "IpProtocol": permission.get("ipProtocol"),
            "FromPort": permission.get("fromPort"),
            "ToPort": permission.get("toPort"),
        }
        for peer in _peers(permission, side):
            yield {**ports, **peer}


def _peers(permission: Json, side: str) -> Iterator[dict[str, Json]]:
    # Old items have plain strings under ipRanges; newer ones repeat them there and add ipv4Ranges.
    for cidr in permission.get("ipv4Ranges") or permission.get("ipRanges") or ():
        yield (
            {"CidrIp": cidr}
            if isinstance(cidr, str)
            else {"CidrIp": cidr.get("cidrIp"), "Description": cidr.get("description")}
        )
    for cidr in rows(permission.get("ipv6Ranges")):
        yield {"CidrIpv6": cidr.get("cidrIpv6"), "Description": cidr.get("description")}
    for entry in permission.get("prefixListIds") or ():
        found = {"prefixListId": entry} if isinstance(entry, str) else entry
        yield {f"{side}PrefixListId": found.get("prefixListId"), "Description": found.get("description")}
    for pair in rows(permission.get("userIdGroupPairs")):
        peer = {f"{side}SecurityGroupId": pair.get("groupId"), "Description": pair.get("description")}
        if side == "Source":
            peer["SourceSecurityGroupOwnerId"] = pair.get("userId")
        yield peer


SHAPE = Shape(
    type="AWS::EC2::SecurityGroup",
    coverage=COVERAGE,
    blind=names("SecurityGroupIngress/*/SourceSecurityGroupName"),
    rename={"GroupDescription": "description"},
    finish=_finish,
)
