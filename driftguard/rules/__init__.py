"""Policies: load files, compile them, judge resources.  Pure: nothing here reads AWS or the store."""

from driftguard.rules.catalogue import Catalogue, load_catalogue
from driftguard.rules.facts import facts_of
from driftguard.rules.judge import as_resource
from driftguard.rules.policy import Policy
from driftguard.rules.relations import ACCOUNT, JudgeContext, Neighbours
from driftguard.rules.values import Reference

__all__ = [
    "ACCOUNT",
    "Catalogue",
    "JudgeContext",
    "Neighbours",
    "Policy",
    "Reference",
    "as_resource",
    "facts_of",
    "load_catalogue",
]
