"""AWS::EC2::Subnet: what DescribeSubnets answers."""

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names, rows
from driftguard.model import Json

COVERAGE = names(
    """
    AssignIpv6AddressOnCreation AvailabilityZone AvailabilityZoneId CidrBlock EnableDns64
    EnableLniAtDeviceIndex Ipv6CidrBlock Ipv6Native MapPublicIpOnLaunch OutpostArn
    PrivateDnsNameOptionsOnLaunch VpcId
    """
)


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    for row in rows(get(item.configuration, "ipv6CidrBlockAssociationSet")):
        if get(row, "ipv6CidrBlockState", "state") in ("associated", "associating"):
            properties["Ipv6CidrBlock"] = row.get("ipv6CidrBlock")


SHAPE = Shape(type="AWS::EC2::Subnet", coverage=COVERAGE, finish=_finish)
