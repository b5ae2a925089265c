"""AWS::WAFv2::WebACL: rules and default action are not listed by AWS Config's schema."""

from driftguard.live.folding import Shape, names
from driftguard.live.wafv2 import set_scope

COVERAGE = names("Description Name Scope VisibilityConfig")

SHAPE = Shape(
    type="AWS::WAFv2::WebACL",
    coverage=COVERAGE,
    finish=set_scope,
)
