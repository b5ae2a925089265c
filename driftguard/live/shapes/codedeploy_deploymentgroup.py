"""AWS::CodeDeploy::DeploymentGroup: GetDeploymentGroup; Auto Scaling groups come with their hooks."""

from driftguard.live.folding import Shape, names

COVERAGE = names(
    """
    AlarmConfiguration ApplicationName AutoRollbackConfiguration AutoScalingGroups
    BlueGreenDeploymentConfiguration DeploymentConfigName DeploymentGroupName DeploymentStyle
    Ec2TagFilters ECSServices LoadBalancerInfo OnPremisesInstanceTagFilters OutdatedInstancesStrategy
    ServiceRoleArn TriggerConfigurations
    """
)

SHAPE = Shape(
    type="AWS::CodeDeploy::DeploymentGroup",
    coverage=COVERAGE,
    rename={"AutoScalingGroups": "autoScalingGroups[].name"},
)
