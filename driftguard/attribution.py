"""Who changed it: CloudTrail events matched to property changes.

Pure: events in, a `ChangedBy` or ``None`` out.  A wrong name is worse than none, so an event counts only when
it names the resource; it is trusted most when it also names what changed.

Event shape: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Event.html and, for the JSON inside
``CloudTrailEvent``, https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import orjson

from driftguard.model import ChangedBy, Drift, DriftStatus, Json
from driftguard.schema import registry

_ENDINGS = (
    "Delete",
    "Remove",
    "Terminate",
    "Unsubscribe",
    "Deregister",
    "Detach",
    "Disable",
    "Cancel",
    "Release",
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NOISE = frozenset(
    [
        "put",
        "update",
        "modify",
        "set",
        "create",
        "delete",
        "add",
        "remove",
        "get",
        "attribute",
        "attributes",
        "configuration",
        "config",
        "settings",
        "setting",
        "value",
        "values",
        "status",
        "enabled",
        "policy",
        "name",
        "id",
        "arn",
        "type",
        "aws",
        "resource",
        "the",
        "of",
        "for",
        "and",
        "s",
    ]
)
_AGENTS = (
    ("cloudformation.amazonaws.com", "CloudFormation"),
    ("terraform", "Terraform"),
    ("pulumi", "Pulumi"),
    ("aws-cdk", "CDK"),
    ("aws-cli", "CLI"),
    ("console", "console"),
    ("signin.amazonaws.com", "console"),
    ("boto3", "SDK"),
    ("aws-sdk", "SDK"),
    ("botocore", "SDK"),
)
"""What an agent calls itself, the most telling word first: tools are built on SDKs, and name them as well."""
_MAKES = ("Create", "Run", "Register", "Put", "Allocate", "Import", "Restore", "Request", "Launch", "Copy")
_SOURCES = {"monitoring": "cloudwatch", "email": "ses"}
"""What CloudTrail calls a service where IAM calls it otherwise."""
_CALLED_AS = {"application-autoscaling": "autoscaling"}
"""What CloudTrail calls a service that shares its endpoint's name with another."""
_FOR_ALL = frozenset(["cloudcontrolapi", "cloudformation", "tagging", "resource-groups"])
"""Services whose calls change resources of others."""
_NOUNS = {"eip": "address"}
"""What the API calls a thing where the type name does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailEvent:
    """One CloudTrail event that changed something, reduced to what attribution needs."""

    id: str
    name: str
    time: datetime
    principal: str
    session: str
    source: str
    service: str
    """The service that was called, as IAM names it; empty where the event does not tell."""
    mentions: frozenset[str]
    words: frozenset[str]
    values: frozenset[str]


def parse_event(event: Mapping[str, Json]) -> TrailEvent | None:
    """A LookupEvents entry; ``None`` for reads, failed calls and events that cannot be read."""
    try:
        record = orjson.loads(event.get("CloudTrailEvent") or "{}")
    except orjson.JSONDecodeError:
        return None
    read_only = str(event.get("ReadOnly", record.get("readOnly", ""))).lower() == "true"
    time = _time(event.get("EventTime") or record.get("eventTime"))
    if read_only or record.get("errorCode") or time is None:
        return None
    identity = record.get("userIdentity") or {}
    arn = str(identity.get("arn") or identity.get("invokedBy") or event.get("Username") or "")
    request = record.get("requestParameters") or {}
    leaves = list(_leaves(request)) + list(_leaves(record.get("responseElements") or {}))
    named = [str(r.get("ResourceName", "")) for r in event.get("Resources") or []]
    name = str(event.get("EventName") or record.get("eventName") or "")
    return TrailEvent(
        id=str(event.get("EventId") or record.get("eventID") or ""),
        name=name,
        time=time,
        principal=arn,
        session=_session(identity),
        source=_source(record),
        service=_service(str(record.get("eventSource") or event.get("EventSource") or "")),
        mentions=frozenset(_forms([*named, *(value for _, value in leaves)])),
        words=frozenset(words(name)).union(*(words(key) for key, _ in leaves)),
        values=frozenset(value for _, value in leaves),
    )


def attribute(
    drift: Drift, arn: str | None, events: Sequence[TrailEvent], *, deployment: bool = False
) -> ChangedBy | None:
    """The event that most likely made ``drift``, or ``None`` when nobody can be named honestly.

    With ``deployment`` it may be an event of CloudFormation's.  What that deploys becomes the declared state,
    so it explains a change, but never a drift.
    """
    names = frozenset(
        _forms(
            filter(
                None, [arn or "", drift.physical_id, drift.key.identifier, *drift.key.identifier.split("|")]
            )
        )
    )
    scored = [
        (_score(drift, event, deployment), event)
        for event in events
        if names & event.mentions and _fits(drift, event)
    ]
    best = max((score for score, _ in scored), default=-1)
    if best < 0:
        return None
    event = _first_or_last(drift, [event for score, event in scored if score == best])
    return ChangedBy(
        principal=event.principal,
        event=event.name,
        time=event.time,
        source=event.source,
        session=event.session,
        event_id=event.id,
        confidence="HIGH" if best > 0 else "MEDIUM",
    )


def _fits(drift: Drift, event: TrailEvent) -> bool:
    """Whether ``event`` changed a resource of this type.

    Another service's call may name it for what it is to a resource of its own (the key of a database), and
    two services may have resources of one name.
    """
    if not event.service or event.service in _FOR_ALL:
        return True
    services = _services(drift.key.type)
    return not services or event.service in services


@cache
def _services(type_name: str) -> frozenset[str]:
    """What a type's service is called by IAM and by CloudTrail; empty where the registry does not tell.

    Handlers call other services too, most of all their own: each type of the service says which.
    """
    family = type_name.rpartition("::")[0] + "::"
    schemas = (registry().get(name) for name in registry().types() if name.startswith(family))
    called = set()
    for schema in schemas:
        listed = [action for actions in schema.handlers.values() for action in actions] if schema else []
        called |= {name for name, _ in Counter(one.partition(":")[0] for one in listed).most_common(1)}
    if not called:
        return frozenset()
    return frozenset(
        [*called, *(_CALLED_AS.get(name, name) for name in called), type_name.split("::")[1].lower()]
    )


def _service(source: str) -> str:
    name = source.removesuffix(".amazonaws.com")
    return _SOURCES.get(name, name)


def _first_or_last(drift: Drift, events: Sequence[TrailEvent]) -> TrailEvent:
    """Of events that explain ``drift`` equally well: the last, or the first of those that all say its value.

    A call says all the values that it sets, also those that it leaves as somebody else made them.
    """
    actual = _actual(drift)
    repeated = actual and all(actual <= event.values for event in events)
    return (min if repeated else max)(events, key=lambda event: event.time)


def _actual(drift: Drift) -> set[str]:
    return {str(d.actual) for d in drift.differences if isinstance(d.actual, str | int | float)}


def _score(drift: Drift, event: TrailEvent, deployment: bool) -> int:
    """How well the event explains the change: below 0 not at all, 0 the resource only, above 0 the property too."""
    ends = event.name.startswith(_ENDINGS)
    if drift.status is DriftStatus.DELETED:
        return 2 if ends else -1
    if drift.status is DriftStatus.UNMANAGED:
        return 2 if _made(drift, event) else -1
    if event.source == "CloudFormation" and not deployment:
        return -1
    paths = [d.path for d in drift.differences] or [u.path for u in drift.undeclared if u.confirmed]
    # The type's own words stand in the names of all its properties and calls: they tell nothing apart.
    dull = _NOISE.union(words(drift.key.type.rpartition("::")[2]))
    wanted = frozenset(word for path in paths for word in words(path)) - dull
    score = len(wanted & event.words) + 2 * len(_actual(drift) & event.values)
    if score == 0 and event.name.startswith(("Create", "Run", "Register")):
        return -1  # it made the resource; that is not what made it differ
    return score


def _made(drift: Drift, event: TrailEvent) -> bool:
    """Whether ``event`` made a resource of this type: its noun is the type's, not that of a thing beside it."""
    if event.name == "CreateResource":  # Cloud Control: one call for every type
        return drift.key.type in event.values
    if not event.name.startswith(_MAKES):
        return False
    said = [word for word in words(event.name) if not word.isdigit()][1:]
    kind = [_NOUNS.get(word, word) for word in words(drift.key.type.rpartition("::")[2])]
    shared = min(len(said), len(kind))
    return shared > 0 and said[-shared:] == kind[-shared:]


def words(text: str) -> Iterator[str]:
    """The lower-case words of a camel-case name or a pointer, plural ``s`` dropped."""
    for word in _WORDS.findall(text):
        lower = word.lower()
        yield lower[:-1] if len(lower) > 3 and lower.endswith("s") else lower


def _forms(texts: Iterable[str]) -> Iterator[str]:
    """Each text, and the name inside it when it is an ARN or a path."""
    for text in texts:
        if not text or len(text) > 2048:
            continue
        yield text
        if text.startswith("arn:"):
            tail = text.split(":", 5)[-1]
            yield tail
            yield re.split(r"[:/]", tail, maxsplit=1)[-1]
            yield re.split(r"[:/]", tail)[-1]
        elif text.startswith("https://"):
            yield text.rsplit("/", 1)[-1]


def _leaves(value: Json, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _leaves(below, f"{key}/{name}" if key else str(name))
    elif isinstance(value, list):
        for below in value:
            yield from _leaves(below, key)
    elif value is not None:
        yield key, str(value)


def _source(record: Mapping[str, Json]) -> str:
    identity = record.get("userIdentity") or {}
    agent = str(record.get("userAgent") or "").lower()
    invoked = str(identity.get("invokedBy") or "").lower()
    # A console tab's credentials, whatever the tab calls itself; a service that acted for it comes first.
    by_console = str(record.get("sessionCredentialFromConsole")).lower() == "true" or agent.startswith(
        "aws internal"
    )
    if by_console and not invoked:
        return "console"
    for text in (invoked, agent):
        for mark, name in _AGENTS:
            if mark in text:
                return name
    service = invoked or (agent if agent.endswith(".amazonaws.com") else "")
    return service or "unknown"


def _session(identity: Mapping[str, Json]) -> str:
    """The name of the role session: who stood behind the role."""
    arn = str(identity.get("arn") or "")
    return arn.rsplit("/", 1)[-1] if ":assumed-role/" in arn else ""


def _time(value: Json) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
