"""AWS::WAFRegional::Rule: what GetRule of WAF classic answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("MetricName Name Predicates")

SHAPE = Shape(
    type="AWS::WAFRegional::Rule",
    coverage=COVERAGE,
    rename={
        "Id": "ruleId",
        "Predicates": "predicateList",
    },
)
