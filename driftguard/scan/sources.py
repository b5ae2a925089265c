"""The repository's templates against what is deployed and what is live.  Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from driftguard.declared.ownership import with_tolerances
from driftguard.declared.siblings import merge_siblings
from driftguard.declared.three_way import three_way
from driftguard.model import Drift, SourceDrift, ThreeWayVerdict
from driftguard.scan.drifts import Comparer
from driftguard.scan.readings import Readings, StackSource


def source_drifts(readings: Readings, drifts: Sequence[Drift], comparer: Comparer) -> Iterator[SourceDrift]:
    """One row for each resource of a stack with a template in the repository, but for those all equal."""
    by_stack: dict[str, dict[str, Drift]] = {}
    for drift in drifts:
        if drift.stack_id:
            by_stack.setdefault(drift.stack_id, {})[drift.logical_id] = drift
    for source in readings.sources:
        yield from _of_stack(source, by_stack.get(source.stack_id, {}), comparer)


def _of_stack(source: StackSource, drifts: Mapping[str, Drift], comparer: Comparer) -> Iterator[SourceDrift]:
    wanted = _against_live(source, drifts, comparer)
    for row in three_way(source.repository, source.deployed, drifts, wanted):
        if row.verdict is ThreeWayVerdict.ALL_EQUAL:
            continue
        shown = row.repository or row.deployed
        yield SourceDrift(
            account=source.account,
            region=source.region,
            stack=source.stack,
            logical_id=row.logical_id,
            type=row.type,
            verdict=row.verdict,
            file=source.file,
            undeployed=row.undeployed,
            location=shown.locations.get("") if shown is not None else None,
        )


def _against_live(
    source: StackSource, drifts: Mapping[str, Drift], comparer: Comparer
) -> Mapping[str, Drift]:
    """Repository against live, for what has drifted: a change by hand may be in the repository already."""
    if not any(drift.drifted for drift in drifts.values()):
        return {}
    whole = with_tolerances(merge_siblings(list(source.repository)))
    changed = (one for one in whole if one.logical_id in drifts and drifts[one.logical_id].drifted)
    return {one.logical_id: comparer.one(one) for one in changed if one.key is not None}
