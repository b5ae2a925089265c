"""AWS::EC2::RouteTable: routes and associations are resources of their own."""

from driftguard.live.folding import Shape, names

COVERAGE = names("VpcId")

SHAPE = Shape(
    type="AWS::EC2::RouteTable",
    coverage=COVERAGE,
)
