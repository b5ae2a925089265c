"""AWS::AppConfig::Application: CloudFormation-shaped but for the id."""

from driftguard.live.folding import Shape, names

COVERAGE = names("Description Name")

SHAPE = Shape(
    type="AWS::AppConfig::Application",
    coverage=COVERAGE,
    rename={
        "ApplicationId": "Id",
    },
)
