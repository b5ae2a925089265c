"""AWS::RDS::EventSubscription: what DescribeEventSubscriptions answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("Enabled EventCategories SnsTopicArn SourceIds SourceType")

SHAPE = Shape(
    type="AWS::RDS::EventSubscription",
    coverage=COVERAGE,
    rename={
        "SubscriptionName": "custSubscriptionId",
        "EventCategories": "eventCategoriesList",
        "SourceIds": "sourceIdsList",
    },
)
