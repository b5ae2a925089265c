"""AWS::WAFv2::IPSet: what GetIPSet answers."""

from driftguard.live.folding import Shape, names
from driftguard.live.wafv2 import set_scope

COVERAGE = names("Addresses Description IPAddressVersion Name Scope")

SHAPE = Shape(
    type="AWS::WAFv2::IPSet",
    coverage=COVERAGE,
    finish=set_scope,
)
