"""AWS::RDS::DBSecurityGroup: what the service's Describe call answers, first letters lowered."""

from driftguard.live.folding import Shape, names

COVERAGE = names("EC2VpcId GroupDescription")

SHAPE = Shape(
    type="AWS::RDS::DBSecurityGroup",
    coverage=COVERAGE,
    rename={
        "EC2VpcId": "vpcId",
        "GroupDescription": "dBSecurityGroupDescription",
    },
)
