"""AWS::EC2::NetworkAcl: the VPC; entries and associations are resources of their own."""

from driftguard.live.folding import Shape, names

COVERAGE = names("VpcId")

SHAPE = Shape(type="AWS::EC2::NetworkAcl", coverage=COVERAGE, rename={"Id": "networkAclId"})
