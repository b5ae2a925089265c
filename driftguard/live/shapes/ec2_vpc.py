"""AWS::EC2::VPC: what DescribeVpcs answers; the DNS attributes need a call of their own."""

from driftguard.live.folding import Shape, names

COVERAGE = names("CidrBlock InstanceTenancy")

SHAPE = Shape(type="AWS::EC2::VPC", coverage=COVERAGE)
