"""AWS::EC2::CustomerGateway: what the service's Describe call answers, first letters lowered."""

from driftguard.live.folding import Shape, names

COVERAGE = names("BgpAsn CertificateArn DeviceName IpAddress Type")

SHAPE = Shape(
    type="AWS::EC2::CustomerGateway",
    coverage=COVERAGE,
)
