"""AWS::AutoScaling::ScheduledAction: what DescribeScheduledActions answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("AutoScalingGroupName DesiredCapacity EndTime MaxSize MinSize Recurrence TimeZone")

SHAPE = Shape(
    type="AWS::AutoScaling::ScheduledAction",
    coverage=COVERAGE,
)
