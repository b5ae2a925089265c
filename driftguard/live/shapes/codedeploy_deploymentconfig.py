"""AWS::CodeDeploy::DeploymentConfig: what GetDeploymentConfig answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("ComputePlatform DeploymentConfigName MinimumHealthyHosts TrafficRoutingConfig")

SHAPE = Shape(
    type="AWS::CodeDeploy::DeploymentConfig",
    coverage=COVERAGE,
)
