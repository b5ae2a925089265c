"""From declared and live states to drifts.  Pure."""

from __future__ import annotations

import fnmatch
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from driftguard.compare import CompareContext, Comparison, compare, compare_with_witness
from driftguard.declared.native import joined
from driftguard.declared.out_of_band import OutOfBand, out_of_band
from driftguard.declared.ownership import service_owner
from driftguard.history.faults import within
from driftguard.live.inventory import type_filter
from driftguard.model import (
    DeclaredResource,
    DifferenceType,
    Drift,
    DriftStatus,
    Gap,
    GapReason,
    Json,
    NotChecked,
    PropertyDifference,
    Resource,
    ResourceKey,
    UndeclaredValue,
)
from driftguard.model.drift import OTHERS_UNREAD
from driftguard.scan.places import placed
from driftguard.scan.readings import Memory, Readings
from driftguard.scan.unmanaged import unmanaged
from driftguard.scan.unsettled import Unsettled, unread
from driftguard.schema import TypeSchema, registry_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the settings say about comparing.

    ``ignore`` holds ``TYPE:POINTER`` patterns; ``unmanaged_ignore_types`` and ``types`` type patterns.  What
    is not of ``types`` (empty: all) was not asked for, and nothing is said of it.
    """

    types: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    undeclared: bool = True
    unmanaged: bool = True
    unmanaged_ignore_types: tuple[str, ...] = ()


REPLACED = "REPLACED_BY_OWNER"
"""Why a resource was not checked that somebody else replaces by design."""
Redact = Callable[[str, Mapping[str, Json]], Mapping[str, Json]]
"""(resource type, properties) -> the properties as the store keeps them: a witness holds no secrets."""


class Comparer:
    """Compares every declared resource of one set of readings with its live state."""

    def __init__(self, readings: Readings, memory: Memory, rules: Rules, redact: Redact) -> None:
        self._readings = readings
        self._memory = memory
        self._rules = rules
        self._redact = redact
        self._gaps: dict[ResourceKey, Gap] = {}
        self._type_gaps: dict[tuple[str, str, str], Gap] = {}
        self._place_gaps: dict[tuple[str, str], Gap] = {}
        self._unsettled = Unsettled(readings, memory)
        for gap in readings.snapshot.gaps:
            self._file(gap)

    def drifts(self) -> Iterator[Drift]:
        """One `Drift` for each declared resource that was asked for, then one for each unmanaged live resource."""
        wants = type_filter(self._rules.types)
        compared = [self._one(declared) for declared in self._readings.declared if wants(declared.type)]
        joint = joined(compared, self._readings.native)
        strangers = self._strangers()
        yield from (self._with_strangers(drift, strangers.get(drift.key, ())) for drift in joint)
        managed = {drift.key for drift in compared}
        managed |= {one.key for one in self._readings.declared if one.key is not None}
        # What counts as drift of its parent is not told of a second time.
        managed |= {one.child.key for found in strangers.values() for one in found}
        if self._rules.unmanaged:
            yield from unmanaged(self._readings, managed, self._rules.unmanaged_ignore_types)

    def _strangers(self) -> Mapping[ResourceKey, Sequence[OutOfBand]]:
        """The children that lie on declared resources and that nobody declares, by their parents."""
        whole = self._readings.whole or ()
        declared = [one for one in self._readings.declared if (one.account, one.region) in whole]
        found: dict[ResourceKey, list[OutOfBand]] = defaultdict(list)
        for one in out_of_band(declared, self._readings.snapshot.resources.values()):
            ignored = self._ignored(one.parent.type, one.path)
            told = self._unsettled.declares(one.kind, one.parent.account, one.parent.region)
            if told and one.parent.key is not None and not ignored and not service_owner(one.child):
                found[one.parent.key].append(one)
        return found

    def _with_strangers(self, drift: Drift, strangers: Sequence[OutOfBand]) -> Drift:
        if not strangers or drift.status is DriftStatus.DELETED:
            return drift
        more = tuple(
            PropertyDifference(
                path=one.path,
                expected=None,
                actual=self._redact(one.child.type, one.child.properties),
                type=DifferenceType.ADD,
                rule="out-of-band",
            )
            for one in strangers
        )
        return replace(drift, status=DriftStatus.MODIFIED, differences=(*drift.differences, *more))

    def one(self, declared: DeclaredResource) -> Drift:
        """The drift of one declared resource, whatever lies on it left out."""
        return self._one(declared)

    def _one(self, declared: DeclaredResource) -> Drift:
        key = declared.key
        base = _base(declared)
        if key is None:
            return replace(base, not_checked=(NotChecked(path="", reason=GapReason.UNRESOLVED),))
        snapshot = self._readings.snapshot
        live = snapshot.resources.get(key)
        if live is not None:
            drift = self._compared(declared, live, base)
            drift = replace(drift, differences=tuple(placed(declared, d) for d in drift.differences))
        elif key in snapshot.deleted:
            owner = next((one.owner for one in declared.tolerated if not one.path), "")
            if owner:
                detail = f"{owner} replaces it by a copy, so that it is gone is no drift"
                drift = replace(base, not_checked=_why(REPLACED, detail))
            else:
                drift = replace(base, status=DriftStatus.DELETED)
        else:
            drift = self._unread(base)
        return drift

    def _compared(self, declared: DeclaredResource, live: Resource, base: Drift) -> Drift:
        context = self._context(declared, live)
        schema = registry_of(declared.account, declared.region).get(declared.type)
        found = compare(declared.properties, live.properties, schema, context, resource_type=declared.type)
        found = self._without_ignored(declared.type, found)
        unsettled = tuple(self._others(declared, live, schema, context))
        undeclared = found.undeclared
        witness = self._memory.witnesses.get(live.key)
        if (
            self._rules.undeclared
            and witness is not None
            and not self._deployed_since(live.key, witness.accepted_at)
        ):
            changed = compare_with_witness(
                self._redact(declared.type, live.properties),
                witness.properties,
                schema,
                declared.properties,
                context,
                resource_type=declared.type,
            )
            undeclared = _merge(undeclared, self._untold(live.key, changed, unsettled))
        return replace(
            base,
            status=found.status,
            differences=found.differences,
            undeclared=undeclared,
            reordered=found.reordered,
            not_checked=(*found.not_checked, *unsettled),
            folded=found.folded,
        )

    def _others(
        self,
        declared: DeclaredResource,
        live: Resource,
        schema: TypeSchema | None,
        context: CompareContext,
    ) -> Iterator[NotChecked]:
        """Where others may have a say that were not read, and where it makes a difference.

        A list that holds just what the declarations fill in that were read is none of these, unless more
        was known of it: something that others fill in may be missing.
        """
        if declared.shared:
            known = {name: list(values) for name, values in declared.shared.items()}
            found = compare(known, live.properties, schema, context, resource_type=declared.type)
            differing = self._without_ignored(declared.type, found).differences
            for path in (f"/{name}" for name in known):
                if self._unsettled.told(live.key, path) or any(within(one.path, path) for one in differing):
                    yield unread(path)
        yield from self._unsettled.children(declared, live.key)

    def _untold(
        self, key: ResourceKey, changed: Sequence[UndeclaredValue], unsettled: Sequence[NotChecked]
    ) -> tuple[UndeclaredValue, ...]:
        """``changed`` without what is known as a difference from the declaration, by a scan that read it all."""
        known = [one.path for one in unsettled if self._unsettled.told(key, one.path)]
        return tuple(one for one in changed if not any(within(one.path, path) for path in known))

    def _context(self, declared: DeclaredResource, live: Resource) -> CompareContext:
        return CompareContext(
            account_id=declared.account,
            region=declared.region,
            partition=declared.partition,
            kms_aliases=self._readings.kms_aliases.get((declared.account, declared.region), {}),
            stack_tags=declared.stack_tags,
            stack_name=declared.stack_name or "",
            logical_id=declared.logical_id,
            physical_id=declared.physical_id or "",
            coverage=live.coverage,
            tolerated=declared.tolerated,
        )

    def _deployed_since(self, key: ResourceKey, accepted_at: datetime) -> bool:
        deployed = self._readings.deployed_at.get(key)
        return deployed is not None and deployed > accepted_at

    def _without_ignored(self, type_name: str, found: Comparison) -> Comparison:
        """Take out what the settings ignore; the status follows what is left."""
        if not self._rules.ignore:
            return found
        kept = tuple(d for d in found.differences if not self._ignored(type_name, d.path))
        undeclared = tuple(u for u in found.undeclared if not self._ignored(type_name, u.path))
        status = found.status
        if status is DriftStatus.MODIFIED and not kept:
            status = DriftStatus.IN_SYNC
        return replace(found, status=status, differences=kept, undeclared=undeclared)

    def _ignored(self, type_name: str, path: str) -> bool:
        name = f"{type_name}:{path}"
        return any(
            fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name, f"{pattern}/*")
            for pattern in self._rules.ignore
        )

    def _unread(self, base: Drift) -> Drift:
        """Neither seen nor known to be gone: say why, and conclude nothing."""
        key = base.key
        gap = (
            self._gaps.get(key)
            or self._type_gaps.get((key.account, key.region, key.type))
            or self._place_gaps.get((key.account, key.region))
        )
        schema = registry_of(key.account, key.region).get(key.type)
        if gap is None and (schema is None or not schema.readable):
            return replace(
                base,
                status=DriftStatus.UNSUPPORTED,
                not_checked=_why(GapReason.UNSUPPORTED, "AWS has no read for this type"),
            )
        reason = gap.reason if gap else GapReason.UNREADABLE
        status = DriftStatus.UNSUPPORTED if reason is GapReason.UNSUPPORTED else DriftStatus.NOT_CHECKED
        return replace(
            base, status=status, not_checked=_why(reason, gap.detail if gap else "it was not read")
        )

    def _file(self, gap: Gap) -> None:
        if gap.type and gap.identifier:
            key = ResourceKey(
                account=gap.account, region=gap.region, type=gap.type, identifier=gap.identifier
            )
            self._gaps[key] = gap
        elif gap.type:
            self._type_gaps[gap.account, gap.region, gap.type] = gap
        elif not gap.stack:
            self._place_gaps[gap.account, gap.region] = gap


def next_witnesses(
    readings: Readings, memory: Memory, drifts: Iterable[Drift]
) -> Mapping[str, Mapping[ResourceKey, Mapping[str, object]]]:
    """The states to accept after this run, by reason: first sight, or a deployment since the last witness.

    A resource whose declared properties differ is no witness: something is wrong with it already.
    """
    accepted: dict[str, dict[ResourceKey, Mapping[str, object]]] = defaultdict(dict)
    for drift in drifts:
        live = readings.snapshot.resources.get(drift.key)
        if live is None or drift.status not in (DriftStatus.IN_SYNC, DriftStatus.MODIFIED):
            continue
        witness = memory.witnesses.get(drift.key)
        if witness is None:
            accepted["first seen"][drift.key] = live.properties
            continue
        deployed = readings.deployed_at.get(drift.key)
        settled = all(one.reason != OTHERS_UNREAD for one in drift.not_checked)
        fine = drift.status is DriftStatus.IN_SYNC and settled
        if fine and deployed is not None and deployed > witness.accepted_at:
            accepted["deployment"][drift.key] = live.properties
    return accepted


def _base(declared: DeclaredResource) -> Drift:
    key = declared.key or ResourceKey(
        partition=declared.partition,
        account=declared.account,
        region=declared.region,
        type=declared.type,
        identifier=declared.physical_id or f"{declared.stack_name}/{declared.logical_id}",
    )
    return Drift(
        key=key,
        status=DriftStatus.NOT_CHECKED,
        logical_id=declared.logical_id,
        physical_id=declared.physical_id or "",
        stack=declared.stack_name or "",
        stack_id=declared.stack_id or "",
        construct_path=declared.construct_path or "",
        location=declared.locations.get(""),
    )


def _merge(
    unconfirmed: Sequence[UndeclaredValue], confirmed: Sequence[UndeclaredValue]
) -> tuple[UndeclaredValue, ...]:
    """Confirmed changes first; an unconfirmed note at, above or below the same place says nothing more."""
    paths = [f"{value.path}/" for value in confirmed]
    rest = [
        value
        for value in unconfirmed
        if not any(f"{value.path}/".startswith(path) or path.startswith(f"{value.path}/") for path in paths)
    ]
    return (*confirmed, *rest)


def _why(reason: str, detail: str) -> tuple[NotChecked, ...]:
    return (NotChecked(path="", reason=reason, detail=detail),)
