"""Findings: the unit of history and of every report."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from driftguard.model.drift import ChangedBy
from driftguard.model.resource import ResourceKey


class Severity(StrEnum):
    """Security Hub's labels, worst first."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    INFORMATIONAL = "INFORMATIONAL"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Severity).index(self)


class FindingKind(StrEnum):
    DRIFT = "DRIFT"
    """A declared property differs, or a declared resource is gone."""
    UNDECLARED = "UNDECLARED"
    """A value that no template declares changed since its witness."""
    UNMANAGED = "UNMANAGED"
    """A resource that no stack declares."""
    COMPLIANCE = "COMPLIANCE"
    """A policy is not met."""


COMPARED = (FindingKind.DRIFT, FindingKind.UNDECLARED, FindingKind.UNMANAGED)
"""The kinds that comparing finds; the others are found by judging."""


class FindingStatus(StrEnum):
    """Security Hub's workflow: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_Workflow.html"""

    NEW = "NEW"
    NOTIFIED = "NOTIFIED"
    RESOLVED = "RESOLVED"
    SUPPRESSED = "SUPPRESSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault of one resource, opened once and never duplicated.

    ``subject`` is the property's normalised pointer for drift (list indices as ``*``) and the policy id
    for compliance.  ``occurrences`` counts how often it was opened, ``flapping`` says that it keeps coming
    back.  ``cause`` groups findings that share a root cause.
    """

    fingerprint: str
    kind: FindingKind
    key: ResourceKey
    subject: str
    severity: Severity
    title: str
    status: FindingStatus
    first_seen: datetime
    last_seen: datetime
    message: str = ""
    stack: str = ""
    logical_id: str = ""
    physical_id: str = ""
    opened_run: str = ""
    last_run: str = ""
    resolved_at: datetime | None = None
    occurrences: int = 1
    flapping: bool = False
    waiver: str | None = None
    cause: str | None = None
    changed_by: ChangedBy | None = None
    owner: str = ""
    remedy: str | None = None
    detail: str = ""
    """Canonical JSON of what differs or decided, redacted; for people and for update detection."""

    @property
    def open(self) -> bool:
        return self.status in (FindingStatus.NEW, FindingStatus.NOTIFIED)


def fingerprint(kind: FindingKind, key: ResourceKey, subject: str) -> str:
    """The identity of a finding: kind, resource and subject; never a value, an index or a time."""
    text = "\x1f".join((kind, key.partition, key.account, key.region, key.type, key.identifier, subject))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Findings that one act explains, as one row.

    ``kind`` is SESSION, PARAMETER, TEMPLATE, STACK or POLICY; ``title`` names the session, the parameter, the
    place in the template, the stack or the policy; ``changed_by`` is who did it, where one act is known.
    """

    id: str
    kind: str
    title: str
    fingerprints: tuple[str, ...]
    resources: int
    accounts: int
    severity: Severity
    first_seen: datetime
    changed_by: ChangedBy | None = None

    @property
    def blast_radius(self) -> int:
        return self.resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A dated, owned acceptance.

    Every selector that is set must match; each may hold ``*`` and ``?`` wildcards.  ``tags`` are
    ``key=value`` pairs that the resource must carry; ``kinds`` the kinds of findings, all where it is empty: who
    accepts a drift has not accepted that a policy is not met.
    """

    id: str
    reason: str
    owner: str
    approver: str
    expires_at: datetime
    created_at: datetime | None = None
    policy: str = "*"
    account: str = "*"
    region: str = "*"
    type: str = "*"
    resource: str = "*"
    path: str = "*"
    tags: tuple[str, ...] = ()
    kinds: tuple[FindingKind, ...] = ()
    ticket: str = ""
    source: str = ""
    """Where it is declared, if not in the store: a file with its line, or a template."""
