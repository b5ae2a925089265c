"""AWS::Route53::HostedZone: CloudFormation-shaped, without the zone's comment."""

from driftguard.live.folding import Shape, names

COVERAGE = names("Name QueryLoggingConfig VPCs")

SHAPE = Shape(
    type="AWS::Route53::HostedZone",
    coverage=COVERAGE,
)
