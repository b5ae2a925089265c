"""AWS::SNS::Topic: topic attributes; subscriptions are resources of their own."""

from driftguard.live.folding import Shape, names

COVERAGE = names("ContentBasedDeduplication DisplayName FifoTopic KmsMasterKeyId TopicName")

SHAPE = Shape(
    type="AWS::SNS::Topic",
    coverage=COVERAGE,
    rename={
        "TopicName": "@name",
    },
)
