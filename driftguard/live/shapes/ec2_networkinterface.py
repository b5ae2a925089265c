"""AWS::EC2::NetworkInterface: what DescribeNetworkInterfaces answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("Description GroupSet InterfaceType PrivateIpAddress SourceDestCheck SubnetId")

SHAPE = Shape(
    type="AWS::EC2::NetworkInterface",
    coverage=COVERAGE,
    rename={"Id": "networkInterfaceId", "GroupSet": "groups[].groupId"},
)
