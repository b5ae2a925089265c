"""AWS::WAFRegional::RateBasedRule: what GetRateBasedRule of WAF classic answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("MatchPredicates MetricName Name RateKey RateLimit")

SHAPE = Shape(
    type="AWS::WAFRegional::RateBasedRule",
    coverage=COVERAGE,
    rename={
        "Id": "ruleId",
        "RateKey": "aggregateKey",
        "RateLimit": "requestLimit",
    },
)
