"""AWS::ElasticBeanstalk::ApplicationVersion: what DescribeApplicationVersions answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("ApplicationName Description SourceBundle")

SHAPE = Shape(
    type="AWS::ElasticBeanstalk::ApplicationVersion",
    coverage=COVERAGE,
    rename={
        "Id": "versionLabel",
    },
)
