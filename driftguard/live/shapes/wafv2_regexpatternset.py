"""AWS::WAFv2::RegexPatternSet: what GetRegexPatternSet answers."""

from driftguard.live.folding import Shape, names
from driftguard.live.wafv2 import set_scope

COVERAGE = names("Description Name RegularExpressionList Scope")

SHAPE = Shape(
    type="AWS::WAFv2::RegexPatternSet",
    coverage=COVERAGE,
    rename={"RegularExpressionList": "regularExpressions"},
    finish=set_scope,
)
