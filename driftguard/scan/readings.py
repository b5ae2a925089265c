"""All that the read paragraph brings to the decide paragraph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from driftguard.declared.native import NativeDrift
from driftguard.history.port import Witness
from driftguard.model import (
    DeclaredResource,
    Evaluation,
    Finding,
    ResourceKey,
    Snapshot,
    StackState,
    Waiver,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """The outside world, as values.

    ``deployed_at`` says when CloudFormation last touched a declared resource; ``kms_aliases`` are by account
    and region; ``covered`` are the account and region pairs that were entered, ``unlisted`` those of them
    whose stacks could not be listed or their values not be told.
    """

    declared: Sequence[DeclaredResource]
    snapshot: Snapshot
    stacks: Sequence[StackState] = ()
    native: Sequence[NativeDrift] = ()
    deployed_at: Mapping[ResourceKey, datetime] = field(default_factory=dict)
    kms_aliases: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    environments: Mapping[str, str] = field(default_factory=dict)
    config_evaluations: Sequence[Evaluation] = ()
    covered: frozenset[tuple[str, str]] = frozenset()
    unlisted: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What was known before this run."""

    witnesses: Mapping[ResourceKey, Witness] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    waivers: Sequence[Waiver] = ()
