"""Timelines: the life of a resource, and what changed in an estate between two moments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from driftguard.compare.tables import listed
from driftguard.compare.tags import holds_tags
from driftguard.history.changes import PropertyChange, property_changes
from driftguard.history.faults import normalise, within
from driftguard.history.port import Query, Store, Version
from driftguard.model import Act, ChangedBy, Finding, Json, ResourceKey
from driftguard.schema import registry, split_pointer


class ChangeKind(StrEnum):
    CREATED = "CREATED"
    """First seen; what was before is not known."""
    CHANGED = "CHANGED"
    DELETED = "DELETED"
    RESTORED = "RESTORED"
    """It is there again after a deletion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One change of a resource: what it was until then and from then on, property by property.

    ``acts`` are who made it, as far as somebody was named: by the path of the change, ``""`` for the resource.
    """

    key: ResourceKey
    kind: ChangeKind
    at: datetime
    until: datetime | None
    source: str
    changes: tuple[PropertyChange, ...] = ()
    properties: Mapping[str, Json] | None = None
    acts: Mapping[str, ChangedBy] = field(default_factory=dict)


def timeline(versions: Iterable[Version], acts: Sequence[Act] = ()) -> list[TimelineEntry]:
    """The changes of one resource, newest first, from its ``versions`` (newest first, as the store has them)."""
    entries: list[TimelineEntry] = []
    before: Version | None = None
    for version in reversed(list(versions)):
        changes: tuple[PropertyChange, ...] = ()
        if before is not None and not before.deleted and not version.deleted:
            changes = _changes(version.key.type, before.properties, version.properties)
            if not changes and before.properties != version.properties:
                # The same in another order, where order says nothing: the state goes on.
                entries[-1] = replace(entries[-1], until=version.valid_to, properties=version.properties)
                before = version
                continue
        entries.append(
            TimelineEntry(
                key=version.key,
                kind=_kind(before, version),
                at=version.valid_from,
                until=version.valid_to,
                source=version.source,
                changes=changes,
                properties=version.properties,
                acts=dict(_acts(before, version, changes, acts)),
            )
        )
        before = version
    return entries[::-1]


def _changes(type_name: str, before: Json, after: Json) -> tuple[PropertyChange, ...]:
    """What changed of a resource; the order of tags, and of what the registry calls unordered, is no change."""
    schema = registry().get(type_name)

    def unordered(path: str) -> bool:
        steps = split_pointer(path)
        node = schema.node(steps) if schema is not None else None
        if holds_tags(steps, schema):
            return True
        if node is None or node.insertion_order is not False:
            return False
        return not listed("ordered-list", type_name, tuple("*" if step.isdigit() else step for step in steps))

    return property_changes(before, after, unordered=unordered)


def acts_of(store: Store, key: ResourceKey) -> list[Act]:
    """Who changed a resource: what scans found out about its changes, and what its findings tell."""
    query = Query(accounts=(key.account,), types=(key.type,), identifiers=(key.identifier,), limit=500)
    told = (_told(finding) for finding in store.findings(query).items if finding.key == key)
    return [*store.acts(key), *(act for act in told if act is not None)]


def _told(finding: Finding) -> Act | None:
    by = finding.changed_by
    if by is None or (finding.subject and not finding.subject.startswith("/")):
        return None
    return Act(key=finding.key, at=finding.first_seen, subject=finding.subject, by=by)


def _acts(
    before: Version | None, version: Version, changes: Iterable[PropertyChange], acts: Sequence[Act]
) -> Iterator[tuple[str, ChangedBy]]:
    """The acts that led from ``before`` to ``version``: those seen first while it was there, or done just before.

    The second finds the state that AWS Config remembers between two scans.
    """
    paths = [change.path for change in changes]
    if version.deleted or before is None or before.deleted:
        paths = [""]
    for path in paths:
        subject = normalise(path)
        for act in acts:
            seen = version.valid_from <= act.at and (version.valid_to is None or act.at < version.valid_to)
            done = before is not None and before.valid_from < act.by.time <= version.valid_from
            if (seen or done) and bool(act.subject) == bool(subject) and within(subject, act.subject):
                yield path, act.by
                break


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
            changes = _changes(key.type, one.properties, two.properties)
            if changes or one.properties == two.properties:
                yield EstateChange(key=key, kind=ChangeKind.CHANGED, changes=changes)
