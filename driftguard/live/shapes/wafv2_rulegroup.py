"""AWS::WAFv2::RuleGroup: rules are not in the item."""

from driftguard.live.folding import Shape, names
from driftguard.live.wafv2 import set_scope

COVERAGE = names("Capacity Description Name Scope VisibilityConfig")

SHAPE = Shape(
    type="AWS::WAFv2::RuleGroup",
    coverage=COVERAGE,
    finish=set_scope,
)
