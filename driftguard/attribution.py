"""Who changed it: CloudTrail events matched to property changes.

Pure: events in, a `ChangedBy` or ``None`` out.  A wrong name is worse than none, so an event counts only when
it names the resource; it is trusted most when it also names what changed.

Event shape: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Event.html and, for the JSON inside
``CloudTrailEvent``, https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from driftguard.model import ChangedBy, Drift, DriftStatus, Json

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
        mentions=frozenset(_forms([*named, *(value for _, value in leaves)])),
        words=frozenset(words(name)).union(*(words(key) for key, _ in leaves)),
        values=frozenset(value for _, value in leaves),
    )


def attribute(drift: Drift, arn: str | None, events: Sequence[TrailEvent]) -> ChangedBy | None:
    """The event that most likely made ``drift``, or ``None`` when nobody can be named honestly."""
    names = frozenset(
        _forms(
            filter(
                None, [arn or "", drift.physical_id, drift.key.identifier, *drift.key.identifier.split("|")]
            )
        )
    )
    best: tuple[int, datetime] | None = None
    found: tuple[TrailEvent, str] | None = None
    for event in events:
        if not names & event.mentions:
            continue
        score = _score(drift, event)
        if score < 0:
            continue
        rank = (score, event.time)
        if best is None or rank > best:
            best, found = rank, (event, "HIGH" if score > 0 else "MEDIUM")
    if found is None:
        return None
    event, confidence = found
    return ChangedBy(
        principal=event.principal,
        event=event.name,
        time=event.time,
        source=event.source,
        session=event.session,
        event_id=event.id,
        confidence=confidence,
    )


def _score(drift: Drift, event: TrailEvent) -> int:
    """How well the event explains the change: below 0 not at all, 0 the resource only, above 0 the property too."""
    ends = event.name.startswith(_ENDINGS)
    if drift.status is DriftStatus.DELETED:
        return 2 if ends else -1
    if drift.status is DriftStatus.UNMANAGED:
        return 2 if _made(drift, event) else -1
    if event.source == "CloudFormation":
        return -1  # what CloudFormation deploys becomes the declared state, so it is never the drift
    paths = [d.path for d in drift.differences] or [u.path for u in drift.undeclared if u.confirmed]
    # The type's own words stand in the names of all its properties and calls: they tell nothing apart.
    dull = _NOISE.union(words(drift.key.type.rpartition("::")[2]))
    wanted = frozenset(word for path in paths for word in words(path)) - dull
    actual = {str(d.actual) for d in drift.differences if isinstance(d.actual, str | int | float)}
    score = len(wanted & event.words) + 2 * len(actual & event.values)
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
