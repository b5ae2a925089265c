"""AWS::WAFRegional::WebACL: what GetWebACL of WAF classic answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("DefaultAction MetricName Name Rules")

SHAPE = Shape(
    type="AWS::WAFRegional::WebACL",
    coverage=COVERAGE,
    rename={
        "Id": "webACLId",
        "Rules": "rulesList",
    },
)
