"""What the store keeps beside the estate: its audit log, and small values of the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from driftguard.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One line of the hash-chained audit log.  ``digest`` covers the entry and the one before it."""

    sequence: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Json]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A small JSON value that the service keeps, until ``expires_at`` if it has an end."""

    kind: str
    name: str
    value: Mapping[str, Json]
    created_at: datetime
    expires_at: datetime | None = None
