"""Ask CloudTrail who made each change, within its two calls a second.

The one look outside after deciding: only what drifted is asked for, and a missing answer changes nothing but
the name beside a drift.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import islice

from driftguard.attribution import TrailEvent, attribute, parse_event
from driftguard.aws import Aws
from driftguard.errors import AwsError
from driftguard.model import ChangedBy, Drift, ResourceKey
from driftguard.scan.readings import Memory, Readings

_LOOK_BACK = timedelta(days=90)
"""How far LookupEvents reaches: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html"""
_MOST_PER_PLACE = 100
_MOST_EVENTS = 200
_GLOBAL_EVENTS_REGION = "us-east-1"


def blame(
    aws: Aws,
    drifts: Sequence[Drift],
    readings: Readings,
    memory: Memory,
    cancelled: Callable[[], bool],
    heard: Callable[[str, str], Sequence[TrailEvent]] = lambda account, region: (),
) -> tuple[Drift, ...]:
    """The drifts, each that counts with the event that made it where one could be found, now or by an earlier run."""
    named = [one for one in memory.findings if one.open and one.changed_by is not None]
    known = {one.key: one.changed_by for one in sorted(named, key=lambda one: one.first_seen)}
    wanted = [drift for drift in drifts if drift.drifted and drift.key not in known]
    by_place: dict[tuple[str, str], list[Drift]] = {}
    for drift in wanted:
        for region in _regions(drift.key, readings):
            by_place.setdefault((drift.key.account, region), []).append(drift)

    def ask(item: tuple[tuple[str, str], list[Drift]]) -> dict[ResourceKey, Drift]:
        (account, region), members = item
        return dict(
            _asked(
                aws,
                account,
                region,
                members[:_MOST_PER_PLACE],
                readings,
                memory,
                cancelled,
                heard(account, region),
            )
        )

    found: dict[ResourceKey, Drift] = {}
    with ThreadPoolExecutor(8, thread_name_prefix="trail") as pool:
        for answers in pool.map(ask, by_place.items()):
            found.update(answers)
    return tuple(
        found.get(drift.key) or replace(drift, changed_by=known.get(drift.key)) if drift.drifted else drift
        for drift in drifts
    )


def _asked(
    aws: Aws,
    account: str,
    region: str,
    drifts: Iterable[Drift],
    readings: Readings,
    memory: Memory,
    cancelled: Callable[[], bool],
    heard: Sequence[TrailEvent],
) -> Iterable[tuple[ResourceKey, Drift]]:
    place = aws.place(account, region)
    for drift in drifts:
        if cancelled():
            return
        live = readings.snapshot.resources.get(drift.key)
        arn = live.arn if live else None
        witness = memory.witnesses.get(drift.key)
        start = max(
            readings.snapshot.taken_at - _LOOK_BACK,
            witness.accepted_at if witness else readings.snapshot.taken_at - _LOOK_BACK,
        )
        events = [event for event in heard if event.time >= start]
        changed_by: ChangedBy | None = attribute(drift, arn, events)
        if changed_by is not None and changed_by.confidence == "HIGH":
            yield drift.key, replace(drift, changed_by=changed_by)
            continue
        try:
            for name in _names(drift, live.name if live else None, arn):
                rows = place.cloudtrail.lookup(attribute="ResourceName", value=name, start=start)
                found = map(parse_event, islice(rows, _MOST_EVENTS))
                events += [event for event in found if event is not None]
                changed_by = attribute(drift, arn, events)
                if changed_by is not None and changed_by.confidence == "HIGH":
                    break  # each further name costs half a second of CloudTrail's patience
        except AwsError:
            # CloudTrail names nobody; what was told before stands, or the drift stands without a name.
            if changed_by is None:
                return
        if changed_by is not None:
            yield drift.key, replace(drift, changed_by=changed_by)


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
