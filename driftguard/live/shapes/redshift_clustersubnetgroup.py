"""AWS::Redshift::ClusterSubnetGroup: what DescribeClusterSubnetGroups answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("Description SubnetIds")

SHAPE = Shape(
    type="AWS::Redshift::ClusterSubnetGroup",
    coverage=COVERAGE,
    rename={
        "SubnetIds": "subnets[].subnetIdentifier",
    },
)
