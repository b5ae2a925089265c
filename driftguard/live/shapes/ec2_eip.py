"""AWS::EC2::EIP: what DescribeAddresses answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("Domain InstanceId NetworkBorderGroup PublicIpv4Pool")

SHAPE = Shape(
    type="AWS::EC2::EIP",
    coverage=COVERAGE,
    rename={
        "AllocationId": "allocationId",
        "PublicIp": "publicIp",
    },
)
