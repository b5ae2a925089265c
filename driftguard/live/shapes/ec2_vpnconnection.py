"""AWS::EC2::VPNConnection: what DescribeVpnConnections answers; the customer gateway configuration holds keys and is left out."""

from driftguard.live.folding import Shape, names

COVERAGE = names("CustomerGatewayId StaticRoutesOnly TransitGatewayId Type VpnGatewayId")

SHAPE = Shape(
    type="AWS::EC2::VPNConnection",
    coverage=COVERAGE,
    rename={
        "StaticRoutesOnly": "options.staticRoutesOnly",
    },
)
