"""Declared against live: pure, schema-guided, equality-gated.

`compare` says what differs, what is undeclared, what could not be checked, and which rule folded what;
`compare_with_witness` says which live-only values changed since a state that was accepted; `explain` puts a
comparison into rows for people; `to_patch` turns differences into a patch.
"""

from driftguard.compare.compare import Explanation, compare, explain
from driftguard.compare.context import CompareContext, Comparison
from driftguard.compare.describe import describe
from driftguard.compare.patch import apply_patch, to_patch
from driftguard.compare.witness import compare_with_witness

__all__ = [
    "CompareContext",
    "Comparison",
    "Explanation",
    "apply_patch",
    "compare",
    "compare_with_witness",
    "describe",
    "explain",
    "to_patch",
]
