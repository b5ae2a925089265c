"""AWS::EC2::EgressOnlyInternetGateway: what the service's Describe call answers, first letters lowered."""

from driftguard.live.folding import Shape, names

COVERAGE = names("VpcId")

SHAPE = Shape(
    type="AWS::EC2::EgressOnlyInternetGateway",
    coverage=COVERAGE,
    rename={
        "Id": "egressOnlyInternetGatewayId",
        "VpcId": "attachments[0].vpcId",
    },
)
