"""AWS::EC2::Host: what the service's Describe call answers, first letters lowered."""

from driftguard.live.folding import Shape, names

COVERAGE = names(
    """
    AssetId AutoPlacement AvailabilityZone HostMaintenance HostRecovery InstanceFamily InstanceType
    OutpostArn
    """
)

SHAPE = Shape(
    type="AWS::EC2::Host",
    coverage=COVERAGE,
    rename={
        "InstanceType": "hostProperties.instanceType",
        "InstanceFamily": "hostProperties.instanceFamily",
    },
)
