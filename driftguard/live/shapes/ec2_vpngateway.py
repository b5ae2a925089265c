"""AWS::EC2::VPNGateway: what the service's Describe call answers, first letters lowered."""

from driftguard.live.folding import Shape, names

COVERAGE = names("AmazonSideAsn Type")

SHAPE = Shape(
    type="AWS::EC2::VPNGateway",
    coverage=COVERAGE,
)
