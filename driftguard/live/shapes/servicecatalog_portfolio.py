"""AWS::ServiceCatalog::Portfolio: little more than the provider's name."""

from driftguard.live.folding import Shape, names

COVERAGE = names("ProviderName")

SHAPE = Shape(
    type="AWS::ServiceCatalog::Portfolio",
    coverage=COVERAGE,
    rename={
        "Id": "@id",
    },
)
