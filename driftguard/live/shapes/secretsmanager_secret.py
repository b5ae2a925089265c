"""AWS::SecretsManager::Secret: the secret's metadata; rotation is a resource of its own."""

from driftguard.live.folding import Shape, names

COVERAGE = names("Description KmsKeyId Name")

SHAPE = Shape(
    type="AWS::SecretsManager::Secret",
    coverage=COVERAGE,
    rename={
        "Id": "@arn",
    },
)
