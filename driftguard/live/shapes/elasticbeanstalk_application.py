"""AWS::ElasticBeanstalk::Application: what DescribeApplications answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("ApplicationName Description ResourceLifecycleConfig")

SHAPE = Shape(
    type="AWS::ElasticBeanstalk::Application",
    coverage=COVERAGE,
)
