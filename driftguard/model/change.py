"""What became of a resource between two scans, and who did it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from driftguard.model.drift import ChangedBy
from driftguard.model.resource import Json, ResourceKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A resource that is not as it was: its state from ``at`` on, and the one before, which began ``since``.

    A state is ``None`` where the resource was not there; ``until`` is when the scan that saw it was over.
    """

    key: ResourceKey
    at: datetime
    before: Mapping[str, Json] | None
    after: Mapping[str, Json] | None
    since: datetime | None = None
    until: datetime | None = None
    arn: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who made one change of a resource.

    ``at`` is when it was seen first; ``subject`` the pointer to what changed, without list indices, or ``""``
    for a resource that was made or deleted.
    """

    key: ResourceKey
    at: datetime
    subject: str
    by: ChangedBy
