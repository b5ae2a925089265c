"""Validity intervals of one resource: the pure part of keeping history.

A resource's history is a list of sightings in time order: from ``at`` on it had the state ``body``
(``None``: it was gone).  A sighting is valid until the next one.  A sighting that shows what the one
before showed is *quiet*: it is kept, because it tells what a later import that falls in between has to be
compared with, but it is no change.  So the order in which nights are imported makes no difference.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A state seen at ``at`` (microseconds); ``rank`` decides between two different ones at one instant."""

    at: int
    body: int | None
    rank: bytes = b""
    source: str = ""
    coverage: int | None = None
    captured_at: int | None = None
    state_id: str | None = None
    until: int | None = None
    quiet: bool = False
    pinned: bool = False


def merge(known: Iterable[Sighting], seen: Iterable[Sighting]) -> list[Sighting]:
    """``known`` and ``seen`` as one history, oldest first, with ``until`` and ``quiet`` worked out.

    AWS Config has been seen to show different contents under one capture time.  That is no change: one of
    them stands for both, the same one whatever the order (a deletion, else the smallest ``rank``).
    """
    known = list(known)
    by_time: dict[int, Sighting] = {}
    for sighting in (*known, *seen):
        present = by_time.get(sighting.at)
        if present is None:
            by_time[sighting.at] = sighting
        elif _order(sighting) < _order(present):
            by_time[sighting.at] = replace(sighting, pinned=present.pinned or sighting.pinned)
    holes = _holes(by_time, known)
    result: list[Sighting] = []
    ordered = sorted(by_time.values(), key=lambda sighting: sighting.at)
    for index, sighting in enumerate(ordered):
        until = ordered[index + 1].at if index + 1 < len(ordered) else None
        if sighting.at in holes and (until is None or holes[sighting.at] < until):
            until = holes[sighting.at]
        quiet = bool(result) and result[-1].body == sighting.body and result[-1].until == sighting.at
        result.append(replace(sighting, until=until, quiet=quiet))
    return result


def _holes(by_time: Container[int], known: Iterable[Sighting]) -> dict[int, int]:
    """When what was seen at a time ended, where retention has forgotten what came next.

    A pinned sighting outlives those after it, and must not be stretched over the time that they told of.
    """
    ends = {sighting.at: sighting.until for sighting in known if sighting.until is not None}
    return {at: until for at, until in ends.items() if until not in by_time}


def _order(sighting: Sighting) -> tuple[bool, bytes]:
    return sighting.body is not None, sighting.rank
