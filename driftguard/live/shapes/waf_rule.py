"""AWS::WAF::Rule: what GetRule of WAF classic answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("MetricName Name Predicates")

SHAPE = Shape(
    type="AWS::WAF::Rule",
    coverage=COVERAGE,
    rename={
        "Id": "ruleId",
        "Predicates": "predicateList",
    },
)
