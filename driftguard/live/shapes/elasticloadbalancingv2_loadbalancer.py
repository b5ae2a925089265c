"""AWS::ElasticLoadBalancingV2::LoadBalancer: attributes beside it; subnets inside the zones."""

from driftguard.live.folding import Shape, names

COVERAGE = names("IpAddressType LoadBalancerAttributes Name Scheme SecurityGroups Subnets Type")

SHAPE = Shape(
    type="AWS::ElasticLoadBalancingV2::LoadBalancer",
    coverage=COVERAGE,
    rename={
        "LoadBalancerAttributes": "+LoadBalancerAttributes",
        "Name": "loadBalancerName",
        "Subnets": "availabilityZones[].subnetId",
    },
)
