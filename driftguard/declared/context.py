"""What a template is resolved against, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from driftguard.declared.positions import Positions
from driftguard.model import DeclaredResource, Json, Location

_SUFFIX = {
    "aws-cn": "amazonaws.com.cn",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
    "aws-eusc": "amazonaws.eu",
}
_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
)


def partition_of(region: str) -> str:
    """The partition that a region belongs to."""
    return next((name for prefix, name in _PARTITIONS if region.startswith(prefix)), "aws")


def url_suffix(partition: str) -> str:
    """The value of ``AWS::URLSuffix``."""
    return _SUFFIX.get(partition, "amazonaws.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveContext:
    """Everything a template may refer to.  What is left out is unknown, never guessed.

    ``parameters`` are the values as DescribeStacks gives them; for SSM parameter types
    ``resolved_parameters`` holds the ``ResolvedValue``.  ``physical_ids`` maps logical ids;
    ``attributes`` holds what ``Fn::GetAtt`` answers, by logical id and attribute name, and ``attribute``
    is asked for the rest (it answers `Unknown` for what it does not know).  ``children`` maps the logical
    id of a nested stack to its outputs.  ``availability_zones`` are those of each region.
    ``ssm_values`` maps ``name`` or ``name:version`` to plain SSM values.  ``mappings`` are added to the
    template's.  ``deployed`` says that the stack exists and ``physical_ids`` is all that it holds, so
    that a logical id without one is known to be absent.
    """

    parameters: Mapping[str, Json] = field(default_factory=dict)
    resolved_parameters: Mapping[str, str] = field(default_factory=dict)
    account_id: str | None = None
    region: str | None = None
    partition: str | None = None
    stack_name: str | None = None
    stack_id: str | None = None
    physical_ids: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    attribute: Callable[[str, str], Json] | None = None
    children: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    exports: Mapping[str, str] = field(default_factory=dict)
    availability_zones: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notification_arns: tuple[str, ...] | None = None
    ssm_values: Mapping[str, str] = field(default_factory=dict)
    mappings: Mapping[str, Json] = field(default_factory=dict)
    deployed: bool = False
    masked: bool = False
    """Whether every character outside ASCII may stand as ``?`` (GetTemplate's habit)."""

    @property
    def effective_partition(self) -> str | None:
        if self.partition is not None:
            return self.partition
        return partition_of(self.region) if self.region else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """One value that cannot be known.

    ``path`` is a JSON pointer from the resources down (``/Topic/Properties/KmsMasterKeyId``), and
    ``expression`` the intrinsic that is left, with everything known in it already put in.
    """

    path: str
    reason: str
    expression: Json
    positions: Positions | None = field(default=None, repr=False, compare=False)
    source: tuple[str | int, ...] = ()
    """The path in the template's own text, from which the location is found when it is asked for."""

    @property
    def location(self) -> Location | None:
        return self.positions.find(self.source) if self.positions is not None else None

    @property
    def line(self) -> int | None:
        return self.location.line if self.location else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A resolved template.  ``absent`` are the logical ids that a condition takes out."""

    resources: tuple[DeclaredResource, ...]
    absent: tuple[str, ...] = ()
    outputs: Mapping[str, Json] = field(default_factory=dict)
    export_names: Mapping[str, Json] = field(default_factory=dict)
    """The name under which an output is exported, by output."""
    unknown: tuple[Unresolved, ...] = ()
    conditions: Mapping[str, Json] = field(default_factory=dict)
    document: Mapping[str, Json] = field(default_factory=dict, repr=False, compare=False)
    """The template with includes and loops done and SAM translated: what the functions above were read in."""
    origins: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict, repr=False, compare=False)
    """By logical id of a resource that was made: the path in the template of what made it."""

    def resource(self, logical_id: str) -> DeclaredResource | None:
        return next((item for item in self.resources if item.logical_id == logical_id), None)
