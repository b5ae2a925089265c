"""Resources: as they live, as they are declared, and what could not be seen."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""A JSON value; a recursive alias would make every reader cast for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ResourceKey:
    """The identity of a resource, as AWS Config keys it.

    ``type`` is the CloudFormation type name (``AWS::S3::Bucket``).  ``identifier`` is the Cloud Control
    primary identifier: composite parts are joined by ``|`` in the schema's order.  ``region`` is
    ``global`` for the types that AWS keeps once per partition (IAM, CloudFront, Route 53, Organizations).
    """

    partition: str = "aws"
    account: str
    region: str
    type: str
    identifier: str

    def __str__(self) -> str:
        return f"{self.account}/{self.region}/{self.type}/{self.identifier}"


_GLOBAL_SERVICES = ("AWS::IAM::", "AWS::CloudFront::", "AWS::Route53::", "AWS::Organizations::")


def key_region(type_name: str, region: str) -> str:
    """The region of a `ResourceKey`: ``global`` for the types that AWS keeps once per partition."""
    return "global" if type_name.startswith(_GLOBAL_SERVICES) else region


class Source(StrEnum):
    """Where a live state was read."""

    CONFIG = "CONFIG"
    """An AWS Config item in CloudFormation shape, or mapped to it by a shape file."""
    CONFIG_FILE = "CONFIG_FILE"
    """The same from a delivered snapshot or history file."""
    CLOUD_CONTROL = "CLOUD_CONTROL"
    """Cloud Control GetResource or ListResources."""
    SERVICE = "SERVICE"
    """The service's own API, for what neither of the others shows."""
    TEMPLATE = "TEMPLATE"
    """Not live: a declared resource that is judged before it is deployed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A live resource in CloudFormation shape.

    ``coverage`` names the top-level properties that ``source`` can show; ``None`` means all that the
    registry schema calls readable.  What is not covered is never called removed.  ``tags`` are the tags
    as a map, whatever shape the type gives them, ``aws:*`` included.  ``state_hash`` is the hash of the
    canonical properties; two equal hashes are the same state.
    """

    key: ResourceKey
    properties: Mapping[str, Json]
    source: Source
    coverage: frozenset[str] | None = None
    arn: str | None = None
    name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    captured_at: datetime | None = None
    created_at: datetime | None = None
    state_id: str | None = None
    state_hash: str = ""
    made_by_aws: bool = False
    """AWS put it there itself (a default VPC, a service-linked role): it needs nobody to declare it."""
    config_id: str | None = None
    """AWS Config's own id of it (``AROA...`` of a role), where it was read from there."""

    @property
    def type(self) -> str:
        return self.key.type


@dataclass(frozen=True, slots=True)
class Unknown:
    """A declared value that cannot be known without a guess, and why (``reason`` is shown to people).

    ``masked`` counts the characters outside ASCII that CloudFormation shows as ``?``: then the hole holds
    about as many such characters (one that takes two UTF-16 units is shown as one or two), or real ``?``.
    """

    reason: str
    masked: int = 0

    @property
    def pattern(self) -> str:
        """The regular expression of the text that may stand here."""
        if not self.masked:
            return ".*"
        return rf"(?:[^\x00-\x7f]|\?){{{(self.masked + 1) // 2},{self.masked}}}"

    def __repr__(self) -> str:
        return f"Unknown({self.reason!r})"


@dataclass(frozen=True, slots=True)
class Partial:
    """A declared string of which only parts are known: literal pieces, and an `Unknown` for each hole.

    It is compared as a pattern: a live string that fits is *not checked*, one that cannot fit is drift.
    With ``base64`` the string is the Base64 form of the text that the parts make up.
    """

    parts: tuple[str | Unknown, ...]
    base64: bool = False

    def matches(self, value: str) -> bool:
        """Whether ``value`` could be this string, each hole standing for any text."""
        if self.base64:
            try:
                value = b64decode(value, validate=True).decode()
            except ValueError:
                return False
        pattern = "".join(
            part.pattern if isinstance(part, Unknown) else re.escape(part) for part in self.parts
        )
        return re.fullmatch(pattern, value, re.DOTALL) is not None

    @property
    def shown(self) -> str | None:
        """The text as CloudFormation shows it, when every hole is one of its ``?``; else ``None``."""
        text = ""
        for part in self.parts:
            if isinstance(part, Unknown) and not part.masked:
                return None
            text += "?" * part.masked if isinstance(part, Unknown) else part
        return text

    @property
    def reason(self) -> str:
        return next((part.reason for part in self.parts if isinstance(part, Unknown)), "")

    def __str__(self) -> str:
        return "".join("*" if isinstance(part, Unknown) else part for part in self.parts)


DEPLOYED = " (deployed)"
"""What the name of a template ends with that was read from CloudFormation; before it stands its stack."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a value stands in a template: file, and line and column counted from 1."""

    file: str
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredResource:
    """A resource as a template declares it, every intrinsic that can be known replaced.

    ``properties`` may hold `Unknown` and `Partial` at any depth.  ``locations`` maps a JSON pointer into
    ``properties`` (``""`` is the resource itself) to the place that declares it.  ``identifier`` is the
    Cloud Control identifier once it can be told, ``physical_id`` CloudFormation's own.
    """

    type: str
    logical_id: str
    properties: Mapping[str, Json]
    account: str = ""
    region: str = ""
    partition: str = "aws"
    stack_id: str | None = None
    stack_name: str | None = None
    physical_id: str | None = None
    identifier: str | None = None
    status: str = ""
    construct_path: str | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict)
    attributes: Mapping[str, Json] = field(default_factory=dict)
    """The resource attributes beside Properties: DeletionPolicy, UpdateReplacePolicy, DependsOn, ..."""
    stack_tags: Mapping[str, str] = field(default_factory=dict)
    locations: Mapping[str, Location] = field(default_factory=dict)
    tolerated: tuple[Tolerance, ...] = ()
    """Values that someone else owns, inside a declared range."""
    shared: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)
    """Undeclared lists that other declarations may fill, of which not all are known: what the known ones fill in."""

    @property
    def key(self) -> ResourceKey | None:
        if self.identifier is None:
            return None
        return ResourceKey(
            partition=self.partition,
            account=self.account,
            region=self.region,
            type=self.type,
            identifier=self.identifier,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """A property that another owner moves by design, and the range inside which that is no drift.

    ``owner`` is shown to people ("Application Auto Scaling", "CodeDeploy blue/green").  Exactly one kind
    of range is given: ``minimum`` and ``maximum`` for numbers (both inclusive), or ``allowed`` for a
    closed set of values; with neither, any value is tolerated.
    """

    path: str
    owner: str
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[Json, ...] | None = None


class GapReason(StrEnum):
    """Why something could not be seen."""

    ACCESS_DENIED = "ACCESS_DENIED"
    NOT_RECORDED = "NOT_RECORDED"
    UNSUPPORTED = "UNSUPPORTED"
    THROTTLED = "THROTTLED"
    UNRESOLVED = "UNRESOLVED"
    WRITE_ONLY = "WRITE_ONLY"
    NOT_IN_SOURCE = "NOT_IN_SOURCE"
    UNREADABLE = "UNREADABLE"
    IN_PROGRESS = "IN_PROGRESS"
    """The stack is being changed right now; comparing would cry wolf."""
    INTERRUPTED = "INTERRUPTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that was not looked at.  ``action`` is the missing IAM action where that is the cause."""

    reason: GapReason
    account: str
    region: str
    detail: str
    type: str | None = None
    identifier: str | None = None
    stack: str | None = None
    path: str | None = None
    action: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What one scan saw: resources, deletions that AWS itself reported, and gaps."""

    taken_at: datetime
    resources: Mapping[ResourceKey, Resource]
    deleted: frozenset[ResourceKey] = frozenset()
    gaps: tuple[Gap, ...] = ()
