"""A drift that was looked at partly, put together with what was known of the rest.  Pure."""

from __future__ import annotations

from dataclasses import replace

from driftguard.history.faults import normalise, within
from driftguard.model import Drift, DriftStatus, NotChecked
from driftguard.model.drift import OTHERS_UNREAD

_COMPARED = (DriftStatus.IN_SYNC, DriftStatus.MODIFIED)


def partly(drift: Drift) -> bool:
    """Whether a drift leaves a place out that another scan may know of."""
    return drift.status in _COMPARED and any(map(_left_out, drift.not_checked))


def completed(drift: Drift, known: Drift) -> Drift:
    """``drift`` with what ``known`` said of the places that were left out, who did it included.

    A scan of everything must find what it wrote down itself: a later one of a single type, stack or region
    does not know better there.
    """
    if known.status not in _COMPARED:
        return drift
    places = tuple(one for one in drift.not_checked if _left_out(one))
    differences = tuple(one for one in known.differences if _among(one.path, places))
    acts = {path: by for path, by in known.acts.items() if path and _among(path, places)}
    rest = tuple(one for one in drift.not_checked if not _left_out(one))
    still = tuple(one for one in known.not_checked if _left_out(one))
    return replace(
        drift,
        status=DriftStatus.MODIFIED if differences else drift.status,
        differences=(*drift.differences, *differences),
        not_checked=(*rest, *still),
        acts={**acts, **drift.acts},
        changed_by=drift.changed_by or (known.changed_by if differences else None),
    )


def _left_out(one: NotChecked) -> bool:
    # What lies on a resource by hand has a path of its own form, whatever kept it from being read.
    return one.reason == OTHERS_UNREAD or one.path.startswith("/(")


def _among(path: str, places: tuple[NotChecked, ...]) -> bool:
    return any(within(normalise(path), normalise(place.path)) for place in places)
