"""AWS::EC2::VPCEndpointService: what DescribeVpcEndpointServiceConfigurations answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("AcceptanceRequired GatewayLoadBalancerArns NetworkLoadBalancerArns PayerResponsibility")

SHAPE = Shape(
    type="AWS::EC2::VPCEndpointService",
    coverage=COVERAGE,
)
