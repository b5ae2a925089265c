"""AWS::AutoScaling::ScalingPolicy: what DescribePolicies answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names(
    """
    AdjustmentType AutoScalingGroupName Cooldown EstimatedInstanceWarmup MetricAggregationType
    MinAdjustmentMagnitude PolicyType PredictiveScalingConfiguration ScalingAdjustment
    StepAdjustments TargetTrackingConfiguration
    """
)

SHAPE = Shape(
    type="AWS::AutoScaling::ScalingPolicy",
    coverage=COVERAGE,
    blind=names(
        """
        PredictiveScalingConfiguration/MetricSpecifications/*/CustomizedCapacityMetricSpecification
        PredictiveScalingConfiguration/MetricSpecifications/*/CustomizedLoadMetricSpecification
        PredictiveScalingConfiguration/MetricSpecifications/*/CustomizedScalingMetricSpecification
        TargetTrackingConfiguration/CustomizedMetricSpecification/Metrics
        TargetTrackingConfiguration/CustomizedMetricSpecification/Period
        """
    ),
    rename={
        "Arn": "policyARN",
    },
)
