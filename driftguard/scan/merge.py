"""What the places of a scan gave, put together.  Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from driftguard.aws import Target
from driftguard.declared.native import NativeDrift, checked
from driftguard.declared.ownership import with_tolerances
from driftguard.declared.siblings import merge_siblings
from driftguard.declared.stacks import Declared
from driftguard.declared.template import Template
from driftguard.live import ConfigResults
from driftguard.model import DeclaredResource, Gap, GapReason, Resource, ResourceKey, Snapshot, key_region
from driftguard.scan import account_facts
from driftguard.scan.readings import Readings, StackSource


@dataclass(slots=True)
class PlaceReading:
    """What one account and region gave."""

    declared: Declared = field(default_factory=Declared)
    resources: dict[ResourceKey, Resource] = field(default_factory=dict)
    deleted: set[ResourceKey] = field(default_factory=set)
    gaps: list[Gap] = field(default_factory=list)
    native: list[NativeDrift] = field(default_factory=list)
    deployed_at: dict[ResourceKey, datetime] = field(default_factory=dict)
    kms_aliases: Mapping[str, str] = field(default_factory=dict)
    config: ConfigResults | None = None
    entered: bool = False
    sources: list[StackSource] = field(default_factory=list)
    used: list[Template] = field(default_factory=list)


def merged(
    targets: Sequence[Target],
    readings: Sequence[PlaceReading],
    now: datetime,
    *,
    whole: frozenset[tuple[str, str]] | None = None,
    gaps: Sequence[Gap] = (),
) -> Readings:
    """All places as one; ``whole`` goes into `Readings.whole`, ``gaps`` belong to no place."""
    pairs = list(zip(targets, readings, strict=True))
    resources = _resources(readings)
    deleted = {key for reading in readings for key in reading.deleted}
    found_gaps = (*gaps, *(gap for reading in readings for gap in reading.gaps))
    config = [(target, reading.config) for target, reading in pairs if reading.config is not None]
    return Readings(
        declared=_with_owners(readings, whole),
        snapshot=Snapshot(
            taken_at=now,
            resources=resources,
            deleted=frozenset(deleted - resources.keys()),
            gaps=tuple(_distinct(account_facts.once(gap) for gap in found_gaps)),
        ),
        stacks=[stack for reading in readings for stack in checked(reading.declared.stacks, reading.native)],
        native=[native for reading in readings for native in reading.native],
        deployed_at={key: at for reading in readings for key, at in reading.deployed_at.items()},
        kms_aliases={(t.account, t.region): reading.kms_aliases for t, reading in pairs},
        environments={target.account: target.environment for target in targets if target.environment},
        config_evaluations=[one for _, results in config for one in results.evaluations],
        config_rules={name: rule for _, results in config for name, rule in results.rules.items()},
        config_told={
            (t.account, t.region): frozenset(results.untold) for t, results in config if not results.gaps
        },
        covered=frozenset((t.account, t.region) for t, reading in pairs if reading.entered),
        stackless=frozenset((t.account, t.region) for t, reading in pairs if _stackless(reading)),
        held=frozenset(
            (t.account, key_region(kind, t.region), kind, physical_id)
            for t, reading in pairs
            for kind, physical_id in reading.declared.held
        ),
        whole=whole,
        sources=[source for reading in readings for source in reading.sources],
    )


def _stackless(reading: PlaceReading) -> bool:
    """Whether some stack of a place did not tell what it holds."""
    return reading.declared.unlisted or any(
        gap.stack is None and gap.type is None and gap.identifier is None and gap.path is None
        for gap in reading.declared.gaps
    )


def _resources(readings: Sequence[PlaceReading]) -> dict[ResourceKey, Resource]:
    resources: dict[ResourceKey, Resource] = {}
    for reading in readings:
        # What lives once per partition is seen from every region: the first sight that shows all is kept.
        for key, resource in reading.resources.items():
            known = resources.get(key)
            if known is None or (known.coverage is not None and resource.coverage is None):
                resources[key] = resource
    return account_facts.split(resources)


def wholly_read(
    targets: Sequence[Target], readings: Sequence[PlaceReading], beside: Collection[str] = ()
) -> frozenset[tuple[str, str]]:
    """The places of which every declaration was read, and ``global`` for accounts of which every place was.

    ``beside`` are the accounts that have other regions, which were not read.
    """
    pairs = list(zip(targets, readings, strict=True))
    places = {(t.account, t.region) for t, reading in pairs if _wholly(reading)}
    partly = {*beside, *(t.account for t, reading in pairs if not _wholly(reading))}
    return frozenset({*places, *((t.account, "global") for t in targets if t.account not in partly)})


def _wholly(reading: PlaceReading) -> bool:
    return reading.entered and all(gap.reason is GapReason.UNSUPPORTED for gap in reading.declared.gaps)


def _with_owners(
    readings: Sequence[PlaceReading], whole: frozenset[tuple[str, str]] | None
) -> list[DeclaredResource]:
    """Each resource with what its siblings write into it, and with the values that others own.

    That nobody declares a child can only be told where every stack was read that may (``whole``).
    """
    by_account: dict[str, list[DeclaredResource]] = {}
    for reading in readings:
        for one in reading.declared.resources:
            by_account.setdefault(one.account, []).append(one)
    declared: list[DeclaredResource] = []
    for account, members in by_account.items():
        regions = None if whole is None else {region for owner, region in whole if owner == account}
        declared += with_tolerances(merge_siblings(members, whole=regions))
    return declared


def _distinct(gaps: Iterable[Gap]) -> Iterator[Gap]:
    seen: set[Gap] = set()
    for gap in gaps:
        if gap not in seen:
            seen.add(gap)
            yield gap
