"""The vocabulary: frozen values that every room reads and nobody changes.

Standard library only.  AWS's words where AWS has a word.
"""

from driftguard.model.change import Act, Move
from driftguard.model.drift import (
    ChangedBy,
    DifferenceType,
    Drift,
    DriftStatus,
    Fold,
    NotChecked,
    PropertyDifference,
    UndeclaredValue,
)
from driftguard.model.finding import (
    COMPARED,
    Cause,
    Finding,
    FindingKind,
    FindingStatus,
    Severity,
    Waiver,
    fingerprint,
)
from driftguard.model.policy import ComplianceType, Evaluation, PolicySummary
from driftguard.model.resource import (
    DeclaredResource,
    Gap,
    GapReason,
    Json,
    Location,
    Partial,
    Resource,
    ResourceKey,
    Snapshot,
    Source,
    Unknown,
    key_region,
)
from driftguard.model.run import CoverageCounts, Outcome, Report, Run, RunStatus, Scope, StackState
from driftguard.model.three_way import SourceDrift, ThreeWayVerdict

__all__ = [
    "COMPARED",
    "Act",
    "Cause",
    "ChangedBy",
    "ComplianceType",
    "CoverageCounts",
    "DeclaredResource",
    "DifferenceType",
    "Drift",
    "DriftStatus",
    "Evaluation",
    "Finding",
    "FindingKind",
    "FindingStatus",
    "Fold",
    "Gap",
    "GapReason",
    "Json",
    "Location",
    "Move",
    "NotChecked",
    "Outcome",
    "Partial",
    "PolicySummary",
    "PropertyDifference",
    "Report",
    "Resource",
    "ResourceKey",
    "Run",
    "RunStatus",
    "Scope",
    "Severity",
    "Snapshot",
    "Source",
    "SourceDrift",
    "StackState",
    "ThreeWayVerdict",
    "UndeclaredValue",
    "Unknown",
    "Waiver",
    "fingerprint",
    "key_region",
]
