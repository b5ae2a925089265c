"""AWS::EC2::NatGateway: the first address is the gateway's own."""

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names, rows
from driftguard.model import Json

COVERAGE = names("AllocationId ConnectivityType PrivateIpAddress SubnetId VpcId")


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    addresses = rows(get(item.configuration, "natGatewayAddresses"))
    primary = next((row for row in addresses if row.get("isPrimary")), addresses[0] if addresses else {})
    properties["AllocationId"] = primary.get("allocationId")
    properties["PrivateIpAddress"] = primary.get("privateIp")


SHAPE = Shape(type="AWS::EC2::NatGateway", coverage=COVERAGE, finish=_finish)
