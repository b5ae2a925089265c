"""AWS::Redshift::ClusterSecurityGroup: what DescribeClusterSecurityGroups answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("Description")

SHAPE = Shape(
    type="AWS::Redshift::ClusterSecurityGroup",
    coverage=COVERAGE,
    rename={
        "Id": "clusterSecurityGroupName",
    },
)
