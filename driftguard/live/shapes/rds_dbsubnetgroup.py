"""AWS::RDS::DBSubnetGroup: what DescribeDBSubnetGroups answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("DBSubnetGroupDescription DBSubnetGroupName SubnetIds")

SHAPE = Shape(
    type="AWS::RDS::DBSubnetGroup",
    coverage=COVERAGE,
    rename={
        "SubnetIds": "subnets[].subnetIdentifier",
    },
)
