"""All that the read paragraph brings to the decide paragraph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from driftguard.declared.native import NativeDrift
from driftguard.history.port import Witness
from driftguard.model import (
    DeclaredResource,
    Evaluation,
    Finding,
    PolicySummary,
    ResourceKey,
    Snapshot,
    StackState,
    Waiver,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSource:
    """A deployed stack whose template stands in the repository, resolved both ways in the stack's context."""

    account: str
    region: str
    stack: str
    stack_id: str
    file: str
    repository: tuple[DeclaredResource, ...]
    deployed: tuple[DeclaredResource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """The outside world, as values.

    ``deployed_at`` says when CloudFormation last touched a declared resource; ``kms_aliases`` are by account
    and region; ``covered`` are the account and region pairs that were entered, ``stackless`` those of them
    where some stack did not tell what it holds; ``held`` is what stacks hold, (account, region or global,
    type, physical id), also where it could not be compared.
    """

    declared: Sequence[DeclaredResource]
    snapshot: Snapshot
    stacks: Sequence[StackState] = ()
    native: Sequence[NativeDrift] = ()
    deployed_at: Mapping[ResourceKey, datetime] = field(default_factory=dict)
    kms_aliases: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    environments: Mapping[str, str] = field(default_factory=dict)
    organizational_units: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Account -> ids of the units above it, where a setting asks for units."""
    config_evaluations: Sequence[Evaluation] = ()
    config_rules: Mapping[str, PolicySummary] = field(default_factory=dict)
    """The policies that AWS Config's rules are, as far as driftguard does not judge them itself."""
    config_told: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    """Account and region whose results were read wholly -> policies that AWS Config has not judged there."""
    covered: frozenset[tuple[str, str]] = frozenset()
    stackless: frozenset[tuple[str, str]] = frozenset()
    held: frozenset[tuple[str, str, str, str]] = frozenset()
    listed: frozenset[tuple[str, str]] = frozenset()
    """Account and region pairs whose inventory was asked for as a whole, gaps left aside."""
    wants: Callable[[str], bool] = lambda _: True
    """Whether a type is in scope."""
    whole: frozenset[tuple[str, str]] | None = None
    """Account and region (``global``: all of them) of which every stack was read, so that what none declares is
    declared nowhere; ``None`` where the settings do not ask for that."""
    children: bool = False
    """Whether the settings ask for what lies on declared resources by hand."""
    sources: Sequence[StackSource] = ()
    unmatched_templates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What was known before this run."""

    witnesses: Mapping[ResourceKey, Witness] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    waivers: Sequence[Waiver] = ()
    filed: frozenset[str] = frozenset()
    """The ids of the waivers that stand in files."""
    notes: tuple[str, ...] = ()
    """What was wrong with waivers: entries that do not count, and why."""
