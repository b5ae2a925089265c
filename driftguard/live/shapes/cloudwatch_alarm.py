"""AWS::CloudWatch::Alarm: DescribeAlarms; the queries of a metric-math alarm are not in the item."""

from driftguard.live.folding import Shape, names

COVERAGE = names(
    """
    ActionsEnabled AlarmActions AlarmDescription AlarmName ComparisonOperator DatapointsToAlarm Dimensions
    EvaluateLowSampleCountPercentile EvaluationPeriods ExtendedStatistic InsufficientDataActions MetricName
    Namespace OKActions Period Statistic Threshold ThresholdMetricId TreatMissingData Unit
    """
)

SHAPE = Shape(type="AWS::CloudWatch::Alarm", coverage=COVERAGE)
