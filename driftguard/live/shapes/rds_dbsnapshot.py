"""AWS::RDS::DBSnapshot: what DescribeDBSnapshots answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names(
    """
    AllocatedStorage AvailabilityZone DBInstanceIdentifier DBSnapshotIdentifier Encrypted Engine
    EngineVersion Iops KmsKeyId LicenseModel MasterUsername OptionGroupName Port SnapshotType Status
    StorageType VpcId
    """
)

SHAPE = Shape(
    type="AWS::RDS::DBSnapshot",
    coverage=COVERAGE,
)
