"""AWS::AutoScaling::LaunchConfiguration: what DescribeLaunchConfigurations answers; user data is left out, it may hold secrets."""

from driftguard.live.folding import Shape, names

COVERAGE = names(
    """
    AssociatePublicIpAddress BlockDeviceMappings ClassicLinkVPCId ClassicLinkVPCSecurityGroups
    EbsOptimized IamInstanceProfile ImageId InstanceType KernelId KeyName LaunchConfigurationName
    MetadataOptions PlacementTenancy RamDiskId SecurityGroups SpotPrice InstanceMonitoring
    """
)

SHAPE = Shape(
    type="AWS::AutoScaling::LaunchConfiguration",
    coverage=COVERAGE,
    rename={
        "InstanceMonitoring": "instanceMonitoring.enabled",
    },
)
