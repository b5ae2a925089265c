"""AWS::CloudTrail::Trail: what DescribeTrails answers; whether it is logging, and its selectors, are not in the item."""

from driftguard.live.folding import Shape, names

COVERAGE = names(
    """
    CloudWatchLogsLogGroupArn CloudWatchLogsRoleArn EnableLogFileValidation
    IncludeGlobalServiceEvents IsMultiRegionTrail IsOrganizationTrail KMSKeyId S3BucketName
    S3KeyPrefix SnsTopicName
    """
)

SHAPE = Shape(
    type="AWS::CloudTrail::Trail",
    coverage=COVERAGE,
    rename={
        "TrailName": "name",
        "EnableLogFileValidation": "logFileValidationEnabled",
    },
)
