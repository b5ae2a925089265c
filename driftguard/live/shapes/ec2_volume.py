"""AWS::EC2::Volume: what DescribeVolumes answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names(
    """
    AvailabilityZone Encrypted Iops KmsKeyId MultiAttachEnabled OutpostArn Size SnapshotId
    Throughput VolumeType
    """
)

SHAPE = Shape(
    type="AWS::EC2::Volume",
    coverage=COVERAGE,
)
