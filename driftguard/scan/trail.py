"""Ask CloudTrail, within its two calls a second, which events made the changes of resources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from driftguard.attribution import TrailEvent, attribute, parse_event
from driftguard.aws import Aws, Place
from driftguard.errors import AwsError
from driftguard.history.faults import normalise
from driftguard.model import ChangedBy, Drift, DriftStatus, ResourceKey

LOOK_BACK = timedelta(days=90)
"""How far LookupEvents reaches: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html"""
ASK_AGAIN = timedelta(days=2)
"""How long a change is asked about for which nobody was found: events come late, and a night may be throttled."""
_MOST_PER_PLACE = 100
_MOST_EVENTS = 200
_EVENTS_A_CALL = 50
_MOST_CALLS_AHEAD = 20
_WORTH_AHEAD = 4
_GLOBAL_EVENTS_REGION = "us-east-1"
_INSTANT = timedelta(microseconds=1)
Heard = Callable[[str, str], Sequence[TrailEvent]]
"""(account, region) -> what EventBridge has told of lately: there minutes before LookupEvents shows it."""


def nothing_heard(account: str, region: str) -> Sequence[TrailEvent]:
    """What is told of where nobody listens."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Who made ``drift``, a change of a resource, after ``since`` (and before ``until``)?

    ``right_at`` says which of its changes had not been made at a later moment: subject -> that moment.
    ``deployment`` says that CloudFormation may be the answer.  What it deploys becomes the declared state,
    so that it never is the reason of a drift.
    """

    drift: Drift
    since: datetime
    until: datetime | None = None
    right_at: Mapping[str, datetime] = field(default_factory=dict)
    name: str | None = None
    arn: str | None = None
    deployment: bool = False

    def holds(self, time: datetime) -> bool:
        """Whether what happened at ``time`` can be the answer."""
        return self.since <= time and (self.until is None or time <= self.until)


def ask(
    aws: Aws,
    questions: Iterable[Question],
    covered: Iterable[tuple[str, str]],
    cancelled: Callable[[], bool],
    heard: Heard = nothing_heard,
) -> Iterator[Drift]:
    """The drift of each question with the acts that were found; none of one that could not be asked.

    In each account and region the first hundred are asked, in the order in which they come.
    """
    entered = sorted(covered)
    by_place: dict[tuple[str, str], list[Question]] = {}
    for question in questions:
        key = question.drift.key
        for region in _regions(key, entered):
            by_place.setdefault((key.account, region), []).append(question)

    def ask_place(item: tuple[tuple[str, str], list[Question]]) -> list[Drift]:
        (account, region), members = item
        told = heard(account, region)
        return list(_asked(aws.place(account, region), members[:_MOST_PER_PLACE], told, cancelled))

    with ThreadPoolExecutor(8, thread_name_prefix="trail") as pool:
        for answers in pool.map(ask_place, by_place.items()):
            yield from answers


def _asked(
    place: Place, questions: Sequence[Question], told: Sequence[TrailEvent], cancelled: Callable[[], bool]
) -> Iterator[Drift]:
    recent, since = _recent(place, questions)
    for question in questions:
        if cancelled():
            return
        parts = parts_of(question.drift)
        events = [event for event in (*recent, *told) if question.holds(event.time)]
        acts: Mapping[str, ChangedBy] = _acts(question, parts, events)
        if _sure(acts, parts) or (since is not None and question.since > since):
            yield with_acts(question.drift, acts)
            continue
        try:
            for name in _names(question):
                rows = place.cloudtrail.lookup(attribute="ResourceName", value=name, start=question.since)
                found = map(parse_event, islice(rows, _MOST_EVENTS))
                events += [event for event in found if event is not None and question.holds(event.time)]
                acts = _acts(question, parts, events)
                if _sure(acts, parts):
                    break  # each further name costs half a second of CloudTrail's patience
        except AwsError:
            # CloudTrail names nobody; what was told before stands, or the drift stands without a name.
            if not acts:
                return
        yield with_acts(question.drift, acts)


def _recent(place: Place, questions: Sequence[Question]) -> tuple[list[TrailEvent], datetime | None]:
    """The newest changes of a place, whatever they are of, and after which moment there are no others.

    One call brings fifty events, and a name takes one call or more: of many questions most are answered by
    what happened lately, and what is not among all events since then needs no call at all.
    """
    if len(questions) < _WORTH_AHEAD:
        return [], None
    most = _EVENTS_A_CALL * min(len(questions), _MOST_CALLS_AHEAD)
    oldest = min(question.since for question in questions)
    events: list[TrailEvent] = []
    try:
        rows = place.cloudtrail.lookup(attribute="ReadOnly", value="false", start=oldest)
        for number, row in enumerate(islice(rows, most), 1):
            event = parse_event(row)
            events += [] if event is None else [event]
            if number == most:
                return events, row["EventTime"]
    except AwsError:
        return events, None
    return events, oldest - _INSTANT


def with_acts(drift: Drift, acts: Mapping[str, ChangedBy]) -> Drift:
    """``drift`` with who made its changes, and the best explained of them in front."""
    if not acts:
        return drift
    best = max(acts.values(), key=lambda act: (act.confidence == "HIGH", act.time))
    return replace(drift, acts=dict(acts), changed_by=best)


def parts_of(drift: Drift) -> dict[str, Drift]:
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


def _sure(acts: Mapping[str, ChangedBy], parts: Iterable[str]) -> bool:
    return all(part in acts and acts[part].confidence == "HIGH" for part in parts)


def _acts(
    question: Question, parts: Mapping[str, Drift], events: Sequence[TrailEvent]
) -> dict[str, ChangedBy]:
    """Who made each of ``parts``; an event that explains one change is no guess for another."""

    def made(subject: str, events: Sequence[TrailEvent]) -> ChangedBy | None:
        since = question.right_at.get(subject, question.since)
        later = [event for event in events if event.time >= since]
        return attribute(parts[subject], question.arn, later, deployment=question.deployment)

    acts = dict(question.drift.acts)
    found = {
        subject: by for subject in parts if subject not in acts and (by := made(subject, events)) is not None
    }
    sure = {by.event_id for by in found.values() if by.confidence == "HIGH"}
    rest = [event for event in events if event.id not in sure]
    for subject, by in found.items():
        act = by if by.confidence == "HIGH" else made(subject, rest)
        if act is not None:
            acts[subject] = act
    return acts


def _names(question: Question) -> list[str]:
    """The names under which CloudTrail may file events of a resource."""
    drift = question.drift
    last = drift.physical_id.rsplit("/", 1)[-1] if drift.physical_id.startswith(("https://", "arn:")) else ""
    # An identifier of several pieces is no name; what the resource belongs to is.
    first = drift.key.identifier.partition("|")[0]
    names = (drift.physical_id, question.name, question.arn, drift.key.identifier, last, first)
    return list(dict.fromkeys(filter(None, names)))


def _regions(key: ResourceKey, covered: Sequence[tuple[str, str]]) -> list[str]:
    if key.region != "global":
        return [key.region]
    regions = [region for account, region in covered if account == key.account]
    # IAM and other global services write their events in us-east-1.
    return [_GLOBAL_EVENTS_REGION] if _GLOBAL_EVENTS_REGION in regions else regions[:1]
