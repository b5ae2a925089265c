"""AWS::KMS::Key: DescribeKey, with policy and rotation beside it."""

from driftguard.live.folding import Shape, names

COVERAGE = names("Description Enabled EnableKeyRotation KeyPolicy KeySpec KeyUsage MultiRegion Origin")

SHAPE = Shape(
    type="AWS::KMS::Key",
    coverage=COVERAGE,
    rename={
        "EnableKeyRotation": "+KeyRotationStatus",
        "KeyPolicy": "+Policy",
    },
)
