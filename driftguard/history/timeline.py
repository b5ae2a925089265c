"""Timelines: the life of a resource, and what changed in an estate between two moments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from driftguard.history.changes import PropertyChange, property_changes
from driftguard.history.port import Store, Version
from driftguard.model import Json, ResourceKey


class ChangeKind(StrEnum):
    CREATED = "CREATED"
    """First seen; what was before is not known."""
    CHANGED = "CHANGED"
    DELETED = "DELETED"
    RESTORED = "RESTORED"
    """It is there again after a deletion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One change of a resource: what it was until then and from then on, property by property."""

    key: ResourceKey
    kind: ChangeKind
    at: datetime
    until: datetime | None
    source: str
    changes: tuple[PropertyChange, ...] = ()
    properties: Mapping[str, Json] | None = None


def timeline(versions: Iterable[Version]) -> list[TimelineEntry]:
    """The changes of one resource, newest first, from its ``versions`` (newest first, as the store has them)."""
    entries: list[TimelineEntry] = []
    before: Version | None = None
    for version in reversed(list(versions)):
        entries.append(
            TimelineEntry(
                key=version.key,
                kind=_kind(before, version),
                at=version.valid_from,
                until=version.valid_to,
                source=version.source,
                changes=()
                if before is None or before.deleted or version.deleted
                else property_changes(before.properties, version.properties),
                properties=version.properties,
            )
        )
        before = version
    return entries[::-1]


def _kind(before: Version | None, version: Version) -> ChangeKind:
    if version.deleted:
        return ChangeKind.DELETED
    if before is None:
        return ChangeKind.CREATED
    return ChangeKind.RESTORED if before.deleted else ChangeKind.CHANGED


@dataclass(frozen=True, slots=True, kw_only=True)
class EstateChange:
    """A resource that is not the same at two moments."""

    key: ResourceKey
    kind: ChangeKind
    changes: tuple[PropertyChange, ...] = ()


def estate_changes(
    store: Store, start: datetime, end: datetime, accounts: tuple[str, ...] = ()
) -> Iterator[EstateChange]:
    """What is different at ``end`` from ``start``, in the order of keys.

    CREATED means first known after ``start``.  Changes that were undone in between do not show.
    """
    before = store.state_hashes(accounts, start)
    after = store.state_hashes(accounts, end)
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if old is None:
            yield EstateChange(key=key, kind=ChangeKind.CREATED)
        elif new is None:
            yield EstateChange(key=key, kind=ChangeKind.DELETED)
        else:
            one, two = store.resource(key, start), store.resource(key, end)
            assert one is not None and two is not None
            yield EstateChange(
                key=key, kind=ChangeKind.CHANGED, changes=property_changes(one.properties, two.properties)
            )
