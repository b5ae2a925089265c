"""AWS::Redshift::EventSubscription: what DescribeEventSubscriptions answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("Enabled EventCategories Severity SnsTopicArn SourceIds SourceType")

SHAPE = Shape(
    type="AWS::Redshift::EventSubscription",
    coverage=COVERAGE,
    rename={
        "SubscriptionName": "custSubscriptionId",
        "EventCategories": "eventCategoriesList",
        "SourceIds": "sourceIdsList",
    },
)
