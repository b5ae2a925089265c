"""What a plan is made from: the faults, and the world as it was read a moment ago."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from driftguard.model import DeclaredResource, Drift, Finding, Json, Resource, ResourceKey, StackState

Secret = Callable[[str, str, Json], bool]
"""(resource type, pointer, value) -> whether the value holds a secret."""
Meets = Callable[[str, Resource], bool]
"""(policy, resource) -> whether the policy would be COMPLIANT on a resource in this state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateText:
    """A template as its author wrote it.  ``yours`` says that it is a file, not a copy out of CloudFormation."""

    file: str
    text: str
    yours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Everything that planning looks at; nothing else is asked.

    ``resources`` are fresh reads of the resources concerned, ``inventory`` counts an account's resources by
    (account, type), ``templates`` are by stack id, ``sources`` maps (stack id, logical id, pointer) to the
    path in the template's source where the value comes from.
    """

    now: datetime
    findings: Sequence[Finding] = ()
    drifts: Mapping[ResourceKey, Drift] = field(default_factory=dict)
    resources: Mapping[ResourceKey, Resource] = field(default_factory=dict)
    declared: Mapping[ResourceKey, DeclaredResource] = field(default_factory=dict)
    stacks: Mapping[str, StackState] = field(default_factory=dict)
    inventory: Mapping[tuple[str, str], int] = field(default_factory=dict)
    templates: Mapping[str, TemplateText] = field(default_factory=dict)
    secret: Secret = lambda kind, place, value: False
    meets: Meets = lambda policy, resource: False
    moved: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Stack id -> resources whose autoscaling or deployment has moved them away from the template right now."""
    unread: Mapping[ResourceKey, str] = field(default_factory=dict)
    """Resources that could not be read again, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One resource and the findings of one kind that a single step would answer."""

    key: ResourceKey
    findings: tuple[Finding, ...]
    drift: Drift | None = None
    live: Resource | None = None
    declared: DeclaredResource | None = None
    stack: StackState | None = None
    template: TemplateText | None = None

    @property
    def worst(self) -> Finding:
        """The worst finding, which gives the step its severity."""
        return min(self.findings, key=lambda finding: (finding.severity.rank, finding.subject))
