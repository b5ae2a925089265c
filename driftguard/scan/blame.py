"""Ask CloudTrail who made each change, within its two calls a second.

The one look outside after deciding: only changes that nobody is named for are asked about, and a missing
answer changes nothing but the name beside one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from driftguard.attribution import TrailEvent, attribute, parse_event
from driftguard.aws import Aws, Place
from driftguard.errors import AwsError
from driftguard.history.faults import normalise, of_drift
from driftguard.model import ChangedBy, Drift, DriftStatus, Finding, ResourceKey
from driftguard.scan.readings import Memory, Readings

_LOOK_BACK = timedelta(days=90)
"""How far LookupEvents reaches: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html"""
_ASK_AGAIN = timedelta(days=2)
"""How long a change is asked about for which nobody was found: events come late, and a night may be throttled."""
_MOST_PER_PLACE = 100
_MOST_EVENTS = 200
_GLOBAL_EVENTS_REGION = "us-east-1"
_Which = tuple[ResourceKey, str, str]
Heard = Callable[[str, str], Sequence[TrailEvent]]
"""(account, region) -> what EventBridge has told of lately: there minutes before LookupEvents shows it."""


def blame(
    aws: Aws,
    drifts: Sequence[Drift],
    readings: Readings,
    memory: Memory,
    cancelled: Callable[[], bool],
    heard: Heard = lambda account, region: (),
) -> tuple[Drift, ...]:
    """The drifts, each change with the event that made it where one is known or could be found."""
    known = {finding.fingerprint: finding for finding in memory.findings if finding.open}
    found: dict[_Which, Drift] = {}
    by_place: dict[tuple[str, str], list[Drift]] = {}
    for drift in drifts:
        if not drift.drifted and drift.status is not DriftStatus.UNMANAGED:
            continue
        remembered, ask = _remembered(drift, known, readings)
        found[_which(drift)] = remembered
        for region in _regions(drift.key, readings) if ask else ():
            by_place.setdefault((drift.key.account, region), []).append(remembered)

    def ask_trail(item: tuple[tuple[str, str], list[Drift]]) -> list[Drift]:
        (account, region), members = item
        # What was changed comes before what was made: the first calls are sure to be answered.
        members.sort(key=lambda drift: drift.status is DriftStatus.UNMANAGED)
        asked = members[:_MOST_PER_PLACE]
        told = heard(account, region)
        return list(_asked(aws.place(account, region), asked, told, readings, memory, cancelled))

    with ThreadPoolExecutor(8, thread_name_prefix="trail") as pool:
        for answers in pool.map(ask_trail, by_place.items()):
            found.update((_which(drift), drift) for drift in answers)
    return tuple(found.get(_which(drift), drift) for drift in drifts)


def _which(drift: Drift) -> _Which:
    return drift.key, drift.stack_id, drift.logical_id


def _remembered(drift: Drift, known: Mapping[str, Finding], readings: Readings) -> tuple[Drift, bool]:
    """``drift`` with the names that its findings have already, and whether others are to be looked for."""
    now = readings.snapshot.taken_at
    acts: dict[str, ChangedBy] = {}
    ask = False
    for fault in of_drift(drift, {}, now, ""):
        finding = known.get(fault.finding.fingerprint)
        if finding is not None and finding.changed_by is not None:
            acts[fault.finding.subject] = finding.changed_by
        elif finding is None or now - finding.first_seen < _ASK_AGAIN:
            ask = True
    live = readings.snapshot.resources.get(drift.key)
    if drift.status is DriftStatus.UNMANAGED and live is not None and live.created_at is not None:
        ask = ask and live.created_at > now - _LOOK_BACK
    return _with(drift, acts), ask


def _with(drift: Drift, acts: Mapping[str, ChangedBy]) -> Drift:
    if not acts:
        return drift
    best = max(acts.values(), key=lambda act: (act.confidence == "HIGH", act.time))
    return replace(drift, acts=dict(acts), changed_by=best)


def _asked(
    place: Place,
    drifts: Iterable[Drift],
    told: Sequence[TrailEvent],
    readings: Readings,
    memory: Memory,
    cancelled: Callable[[], bool],
) -> Iterator[Drift]:
    for drift in drifts:
        if cancelled():
            return
        live = readings.snapshot.resources.get(drift.key)
        arn = live.arn if live else None
        start = _since(drift, readings, memory)
        parts = _parts(drift)
        events = [event for event in told if event.time >= start]
        acts: Mapping[str, ChangedBy] = _acts(drift, parts, arn, events)
        if _sure(acts, parts):
            yield _with(drift, acts)
            continue
        try:
            for name in _names(drift, live.name if live else None, arn):
                rows = place.cloudtrail.lookup(attribute="ResourceName", value=name, start=start)
                found = map(parse_event, islice(rows, _MOST_EVENTS))
                events += [event for event in found if event is not None]
                acts = _acts(drift, parts, arn, events)
                if _sure(acts, parts):
                    break  # each further name costs half a second of CloudTrail's patience
        except AwsError:
            # CloudTrail names nobody; what was told before stands, or the drift stands without a name.
            if not acts:
                return
        yield _with(drift, acts)


def _sure(acts: Mapping[str, ChangedBy], parts: Iterable[str]) -> bool:
    return all(part in acts and acts[part].confidence == "HIGH" for part in parts)


def _parts(drift: Drift) -> dict[str, Drift]:
    """``drift`` cut into its changes: subject of the finding -> the part of the drift that it is about."""
    paths = [d.path for d in drift.differences] + [u.path for u in drift.undeclared if u.confirmed]
    if drift.status in (DriftStatus.DELETED, DriftStatus.UNMANAGED):
        return {"": drift}
    return {
        subject: replace(
            drift,
            differences=tuple(d for d in drift.differences if normalise(d.path) == subject),
            undeclared=tuple(u for u in drift.undeclared if normalise(u.path) == subject),
        )
        for subject in dict.fromkeys(map(normalise, paths))
    }


def _acts(
    drift: Drift, parts: Mapping[str, Drift], arn: str | None, events: Sequence[TrailEvent]
) -> dict[str, ChangedBy]:
    """Who made each of ``parts``; an event that explains one change is no guess for another."""
    acts = dict(drift.acts)
    found = {
        subject: by
        for subject, part in parts.items()
        if subject not in acts and (by := attribute(part, arn, events)) is not None
    }
    sure = {by.event_id for by in found.values() if by.confidence == "HIGH"}
    rest = [event for event in events if event.id not in sure]
    for subject, by in found.items():
        act = by if by.confidence == "HIGH" else attribute(parts[subject], arn, rest)
        if act is not None:
            acts[subject] = act
    return acts


def _since(drift: Drift, readings: Readings, memory: Memory) -> datetime:
    """From when on the change can have been made: not before the state that was accepted last."""
    oldest = readings.snapshot.taken_at - _LOOK_BACK
    witness = memory.witnesses.get(drift.key)
    if witness is None or drift.status is DriftStatus.UNMANAGED:
        return oldest
    return max(oldest, witness.accepted_at)


def _names(drift: Drift, name: str | None, arn: str | None) -> list[str]:
    """The names under which CloudTrail may file events of a resource."""
    last = drift.physical_id.rsplit("/", 1)[-1] if drift.physical_id.startswith(("https://", "arn:")) else ""
    return list(dict.fromkeys(filter(None, (drift.physical_id, name, arn, drift.key.identifier, last))))


def _regions(key: ResourceKey, readings: Readings) -> list[str]:
    if key.region != "global":
        return [key.region]
    regions = sorted(region for account, region in readings.covered if account == key.account)
    # IAM and other global services write their events in us-east-1.
    return [_GLOBAL_EVENTS_REGION] if _GLOBAL_EVENTS_REGION in regions else regions[:1]
