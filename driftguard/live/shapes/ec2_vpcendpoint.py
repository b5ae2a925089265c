"""AWS::EC2::VPCEndpoint: what DescribeVpcEndpoints answers, the policy as JSON text."""

from driftguard.live.config_items import ConfigurationItem, decoded
from driftguard.live.folding import Shape, get, names
from driftguard.model import Json

COVERAGE = names(
    """
    IpAddressType PolicyDocument PrivateDnsEnabled RouteTableIds SecurityGroupIds ServiceName SubnetIds
    VpcEndpointType VpcId
    """
)


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    properties["PolicyDocument"] = decoded(get(item.configuration, "policyDocument"))


SHAPE = Shape(
    type="AWS::EC2::VPCEndpoint",
    coverage=COVERAGE,
    rename={"Id": "vpcEndpointId", "SecurityGroupIds": "groups[].groupId"},
    finish=_finish,
)
