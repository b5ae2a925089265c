"""AWS::EC2::VPCPeeringConnection: what DescribeVpcPeeringConnections answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("PeerOwnerId PeerRegion PeerVpcId VpcId")

SHAPE = Shape(
    type="AWS::EC2::VPCPeeringConnection",
    coverage=COVERAGE,
    rename={
        "Id": "vpcPeeringConnectionId",
        "PeerOwnerId": "accepterVpcInfo.ownerId",
        "PeerRegion": "accepterVpcInfo.region",
        "PeerVpcId": "accepterVpcInfo.vpcId",
        "VpcId": "requesterVpcInfo.vpcId",
    },
)
