"""Runs and reports: one scan, and its whole verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from driftguard.model.drift import Drift
from driftguard.model.finding import Cause, Finding, Waiver
from driftguard.model.policy import Evaluation, PolicySummary
from driftguard.model.resource import Gap, Json
from driftguard.model.three_way import SourceDrift


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What one scan covers.  An empty tuple means all that the settings name."""

    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()


class RunStatus(StrEnum):
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    INTERRUPTED = "INTERRUPTED"


class Outcome(StrEnum):
    """COMPLETE: everything in scope was looked at.  PARTIAL: there are gaps, each of them named."""

    COMPLETE = "COMPLETE"
    PARTIAL = "PARTIAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One scan, from its start on."""

    id: str
    started_at: datetime
    scope: Scope
    status: RunStatus = RunStatus.RUNNING
    outcome: Outcome | None = None
    finished_at: datetime | None = None
    trigger: str = "cli"
    tool_version: str = ""
    policy_version: str = ""
    error: str = ""
    forgotten: datetime | None = None
    """Of what this run saw, retention has forgotten what had ended before this moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageCounts:
    """How many declared resources were checked, and how many were not, by reason."""

    checked: int = 0
    not_checked: int = 0
    unsupported: int = 0
    throttled: int = 0
    unresolved: int = 0
    ignored: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StackState:
    """A deployed stack as a scan saw it; ``native`` is CloudFormation's own drift answer, if asked for."""

    account: str
    region: str
    stack_id: str
    name: str
    status: str
    template_hash: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    parent_id: str | None = None
    resources: int = 0
    updated_at: datetime | None = None
    drift_status: str = ""
    last_drift_check: datetime | None = None
    termination_protection: bool | None = None
    native: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The verdict of a run.  Renderers and notifiers read this and nothing else.

    ``drifts`` holds every compared resource, in sync ones included; ``findings`` those open after the
    run, ``resolved`` those that it closed; ``reopened`` and ``new`` are fingerprints among ``findings``.
    """

    run: Run
    outcome: Outcome
    coverage: CoverageCounts
    drifts: tuple[Drift, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    findings: tuple[Finding, ...] = ()
    resolved: tuple[Finding, ...] = ()
    new: frozenset[str] = frozenset()
    reopened: frozenset[str] = frozenset()
    gaps: tuple[Gap, ...] = ()
    stacks: tuple[StackState, ...] = ()
    policies: Mapping[str, PolicySummary] = field(default_factory=dict)
    managed: int = 0
    """Live resources that a stack declares, for the IaC coverage in percent."""
    unmanaged: int = 0
    causes: tuple[Cause, ...] = ()
    """What open findings have in common, the most urgent first."""
    covered: frozenset[tuple[str, str]] = frozenset()
    """(account, region) pairs that this run looked at, even if nothing was found there."""
    three_way: tuple[SourceDrift, ...] = ()
    """Where the repository's templates, the deployed ones and the live resources differ, resource by resource."""
    unmatched_templates: tuple[str, ...] = ()
    """Templates of the repository that belong to no deployed stack that this run saw."""
    waivers: tuple[Waiver, ...] = ()
    """The waivers of files that were in force, and those of templates that accepted a finding; the store keeps its own."""
    notes: tuple[str, ...] = ()
    """What a reader has to know beside findings and gaps, each one sentence: waivers that match nothing, are over
    or end soon, suppressions that do not count."""
