"""A CloudTrail event, reduced to what attribution needs.

Event shape: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Event.html and, for the JSON inside
``CloudTrailEvent``, https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from driftguard.attribution.kinds import answers_ids
from driftguard.attribution.text import forms
from driftguard.model import Json

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
_SOURCES = {"monitoring": "cloudwatch", "email": "ses"}
"""What CloudTrail calls a service where IAM calls it otherwise."""
_READS = re.compile(
    r"(Batch)?(Describe|Get|List|Lookup|Search|Head|Query|Scan|Check|Validate|Simulate|Test)[A-Z]"
)
_REFUSED = re.compile(r"unsuccessful|failed|failures?|unprocessed|errors?", re.IGNORECASE)
LONGEST = 2048
"""The longest value that may be a name."""
_UNSAID = {("ecs", "cluster"): "default", ("events", "eventBusName"): "default"}
"""What a call means that leaves a part of the name away."""


class Leaf(NamedTuple):
    """A value of a request and the way to it: names, and the places in lists."""

    path: tuple[str | int, ...]
    value: str

    @property
    def names(self) -> tuple[str, ...]:
        """The way without places in lists."""
        return tuple(step for step in self.path if isinstance(step, str))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailEvent:
    """One CloudTrail event that changed something, reduced to what attribution needs."""

    id: str
    name: str
    time: datetime
    principal: str
    """Empty where the record does not tell."""
    session: str
    source: str
    service: str
    """The service that was called, as IAM names it; empty where the event does not tell."""
    leaves: tuple[Leaf, ...]
    """What was asked for.  What was answered describes the whole resource, whoever made it so."""
    named: frozenset[str]
    """What CloudTrail files the event under, and what the call made."""
    mentions: frozenset[str]
    """Every name that can be read out of these, for a quick look whether a resource is among them."""
    refused: frozenset[str]
    """What a call of many was not carried out for."""


def parse_event(event: Mapping[str, Json]) -> TrailEvent | None:
    """A LookupEvents entry; ``None`` for what changed nothing (reads, failures, dry runs) and what cannot be read."""
    try:
        record = orjson.loads(event.get("CloudTrailEvent") or "{}")
    except orjson.JSONDecodeError:
        return None
    name = str(event.get("EventName") or record.get("eventName") or "")
    time = _time(event.get("EventTime") or record.get("eventTime"))
    request = record.get("requestParameters") or {}
    if _reads(event, record, name) or record.get("errorCode") or _rehearsed(request) or time is None:
        return None
    service = _service(str(record.get("eventSource") or event.get("EventSource") or ""))
    answer = list(_leaves(record.get("responseElements") or {}))
    filed = [str(one.get("ResourceName", "")) for one in event.get("Resources") or []]
    filed += [str(one.get("ARN", "")) for one in record.get("resources") or [] if isinstance(one, dict)]
    made = [leaf.value for leaf in answer] if answers_ids(name) else []
    unsaid = [
        Leaf((key,), value) for (of, key), value in _UNSAID.items() if of == service and not request.get(key)
    ]
    leaves = (*_leaves(request), *unsaid)
    named = frozenset(filter(None, [*filed, *made]))
    told = {leaf.value for leaf in leaves} | named
    return TrailEvent(
        id=str(event.get("EventId") or record.get("eventID") or ""),
        name=name,
        time=time,
        principal=_principal(event, record.get("userIdentity") or {}),
        session=_session(record.get("userIdentity") or {}),
        source=_source(record),
        service=service,
        leaves=leaves,
        named=named,
        mentions=frozenset(form for text in told if len(text) <= LONGEST for form in forms(text)),
        refused=frozenset(leaf.value for leaf in answer if any(map(_REFUSED.fullmatch, leaf.names))),
    )


def _reads(event: Mapping[str, Json], record: Mapping[str, Json], name: str) -> bool:
    told = str(event.get("ReadOnly", record.get("readOnly", ""))).lower()
    return told == "true" or _READS.match(name) is not None


def _rehearsed(request: Any) -> bool:
    """A dry run of EC2 fails (``Client.DryRunOperation``); of other services it succeeds and changes nothing."""
    return isinstance(request, dict) and any(
        key.lower() == "dryrun" and str(value).lower() == "true" for key, value in request.items()
    )


def _leaves(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[Leaf]:
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _leaves(below, (*path, str(name)))
    elif isinstance(value, list):
        for place, below in enumerate(value):
            yield from _leaves(below, (*path, place))
    elif value is not None:
        yield Leaf(path, str(value).lower() if isinstance(value, bool) else str(value))


def _service(source: str) -> str:
    name = source.removesuffix(".amazonaws.com")
    return _SOURCES.get(name, name)


def _principal(event: Mapping[str, Json], identity: Mapping[str, Json]) -> str:
    """Who called: an ARN, a service, or what little is told of a caller from another account or provider.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    told = identity.get("arn") or identity.get("invokedBy")
    if not told and identity.get("type") != "AWSAccount":
        told = identity.get("userName") or event.get("Username")
    if told:
        return str(told)
    return "/".join(str(identity[name]) for name in ("accountId", "principalId") if identity.get(name))


def _session(identity: Mapping[str, Json]) -> str:
    """The name of the role session: who stood behind the role."""
    arn = str(identity.get("arn") or "")
    return arn.rsplit("/", 1)[-1] if ":assumed-role/" in arn else ""


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


def _time(value: Json) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
