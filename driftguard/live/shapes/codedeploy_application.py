"""AWS::CodeDeploy::Application: what GetApplication answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("ApplicationName ComputePlatform")

SHAPE = Shape(
    type="AWS::CodeDeploy::Application",
    coverage=COVERAGE,
)
