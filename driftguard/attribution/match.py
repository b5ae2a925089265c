"""Which of many events made a change, or that none can be named honestly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from driftguard.attribution.events import Leaf, TrailEvent
from driftguard.attribution.kinds import (
    configures,
    ends_one,
    makes_anew,
    makes_one,
    of_another,
    of_service,
    said,
    verb_of,
)
from driftguard.attribution.names import named_in, names_of
from driftguard.attribution.text import words
from driftguard.model import ChangedBy, Drift, DriftStatus, Json

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
        "is",
        "s",
        "second",
        "minute",
        "hour",
        "day",
    ]
)
_TRUTHS = frozenset(["true", "false"])
_TELLING = re.compile(r"(?=.*[^a-zA-Z]).{6,}", re.DOTALL)
"""A value that stands for itself, wherever it is said; a number or ``Enabled`` may mean anything."""


@dataclass(frozen=True, slots=True)
class _Told:
    """An event that names the resource, and what it asks for it."""

    event: TrailEvent
    leaves: tuple[Leaf, ...]


_Turn = Callable[[Drift, _Told], bool]


@dataclass(frozen=True, slots=True)
class _Change:
    """What is to be explained: the properties that changed, and what they were and are."""

    type: str
    first: str
    last: tuple[str, ...]
    """The words of the property's own name; empty where several changed, or something inside a list."""
    names: frozenset[tuple[str, ...]]
    """The words of the properties' own names."""
    wanted: frozenset[str]
    is_now: frozenset[str]
    was: str | None


def attribute(
    drift: Drift, arn: str | None, events: Sequence[TrailEvent], *, deployment: bool = False
) -> ChangedBy | None:
    """The event that most likely made ``drift``, or ``None`` when nobody can be named honestly.

    With ``deployment`` it may be an event of CloudFormation's.  What that deploys becomes the declared state,
    so it explains a change, but never a drift.
    """
    scored = list(_scored(drift, arn, events, deployment))
    best = max((score for score, _ in scored), default=-1)
    if best < 0:
        return None
    told = _first_or_last(_change(drift), [told for score, told in scored if score == best])
    event = told.event
    if not event.principal:
        return None
    return ChangedBy(
        principal=event.principal,
        event=event.name,
        time=event.time,
        source=event.source,
        session=event.session,
        event_id=event.id,
        confidence="HIGH" if best > 0 else "MEDIUM",
    )


def _scored(
    drift: Drift, arn: str | None, events: Sequence[TrailEvent], deployment: bool
) -> Iterator[tuple[int, _Told]]:
    """How well each event explains the change: below 0 not at all, 0 the resource only, above 0 the property too."""
    targets = list(names_of(drift, arn))
    told = [
        _Told(event, leaves)
        for event in sorted(events, key=lambda event: event.time)
        if of_service(drift.key.type, event.service)
        and (leaves := named_in(drift.key, targets, event)) is not None
    ]
    if drift.status is DriftStatus.DELETED:
        yield from ((2, one) for one in _since(drift, told, _made) if _ended(drift, one))
    elif drift.status is DriftStatus.UNMANAGED:
        made = [one for one in _since(drift, told, _ended) if _made(drift, one)]
        # Of calls that make a thing or set it anew, the first one made it.
        made = [one for one in made if makes_anew(drift.key.type, one.event.name)] or made[:1]
        yield from ((2, one) for one in made)
    else:
        change = _change(drift)
        for one in _unbroken(change, [one for one in told if not of_another(drift.key.type, one.event.name)]):
            if one.event.source != "CloudFormation" or deployment:
                yield _score(change, one), one


def _since(drift: Drift, told: Sequence[_Told], turn: _Turn) -> list[_Told]:
    """What happened after the last ``turn``: an end before the resource was made again is not its end."""
    turns = [one.event.time for one in told if turn(drift, one)]
    return [one for one in told if not turns or one.event.time >= max(turns)]


def _made(drift: Drift, told: _Told) -> bool:
    kind, name = drift.key.type, told.event.name
    if name == "CreateResource":
        return _through_cloud_control(kind, told)
    return makes_one(kind, name) or _record_set(kind, told, "CREATE", "UPSERT")


def _ended(drift: Drift, told: _Told) -> bool:
    kind, name = drift.key.type, told.event.name
    if name == "DeleteResource":
        return _through_cloud_control(kind, told)
    return ends_one(kind, name) or _record_set(kind, told, "DELETE")


def _through_cloud_control(kind: str, told: _Told) -> bool:
    """Whether the call of Cloud Control, one for every type, was made for this type."""
    return any(leaf.names == ("typeName",) and leaf.value == kind for leaf in told.leaves)


def _record_set(kind: str, told: _Told, *actions: str) -> bool:
    """Route 53 has one call for all that can happen to a record."""
    return kind == "AWS::Route53::RecordSet" and any(
        leaf.names[-1:] == ("action",) and leaf.value in actions for leaf in told.leaves
    )


def _change(drift: Drift) -> _Change:
    seen = [(one.path, one.expected, one.actual) for one in drift.differences]
    seen = seen or [(one.path, one.was, one.value) for one in drift.undeclared if one.confirmed]
    # The type's own words stand in the names of all its properties and calls: they tell nothing apart.
    dull = _NOISE.union(words(drift.key.type.rpartition("::")[2]))
    paths = [path for path, _, _ in seen]
    single = len(seen) == 1 and not any(step.isdigit() for step in paths[0].split("/"))
    return _Change(
        type=drift.key.type,
        first=paths[0].split("/")[1] if paths and "/" in paths[0] else "",
        last=tuple(words(paths[0].rpartition("/")[2])) if single else (),
        names=frozenset(tuple(words(path.rpartition("/")[2])) for path in paths) - {()},
        wanted=frozenset(word for path in paths for word in words(path)) - dull,
        is_now=frozenset(text for _, _, actual in seen if (text := _text(actual)) is not None),
        was=_text(seen[0][1]) if single else None,
    )


def _text(value: Json) -> str | None:
    """A scalar as a request writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def _score(change: _Change, told: _Told) -> int:
    """How well the event explains the change: below 0 not at all, 0 the resource only, above 0 the property too."""
    name = told.event.name
    cloud_control = name in ("CreateResource", "UpdateResource", "DeleteResource")
    types = [leaf.value for leaf in told.leaves if leaf.names == ("typeName",)] if cloud_control else []
    if any(kind != change.type for kind in types):
        return -1
    if not configures(change.type, name, change.wanted, change.first):
        return -1
    asked = frozenset(said(name)).union(*(_words_of(leaf) for leaf in told.leaves))
    score = len(change.wanted & asked) + 2 * len(change.is_now & _values(change, told))
    if score == 0 and verb_of(name) in ("create", "register"):
        return -1  # it made the resource; that is not what made it differ
    return score


def _words_of(leaf: Leaf) -> set[str]:
    """The words of the keys, and of the pointer that a patch names its property with."""
    found = {word for name in leaf.names for word in words(name)}
    return found.union(words(leaf.value)) if leaf.names[-1:] == ("path",) else found


def _values(change: _Change, told: _Told) -> set[str]:
    """The values that the event sets for what may be this property."""
    by_name = bool(change.wanted.intersection(said(told.event.name)))
    return {
        form
        for leaf in told.leaves
        for form in (leaf.value, leaf.value.lower() if leaf.value.lower() in _TRUTHS else leaf.value)
        if by_name
        or change.wanted & _words_of(leaf)
        or (leaf.names and tuple(words(leaf.names[-1])) in change.names)
        or (_TELLING.fullmatch(form) and not _number(form))
    }


def _unbroken(change: _Change, told: Sequence[_Told]) -> list[_Told]:
    """What happened after the value was last known to be another: whoever set it before did not make it stay."""
    broken = [at for at, one in enumerate(told) if _sets_another(change, one)]
    made = [at for at, one in enumerate(told) if makes_anew(change.type, one.event.name)]
    start = max([at + 1 for at in broken] + made, default=0)
    return list(told[start:])


def _sets_another(change: _Change, told: _Told) -> bool:
    """Whether the event sets the very property to a value that is not the one it has now."""
    about = frozenset(said(told.event.name))
    said_here = [
        leaf.value
        for leaf in told.leaves
        if change.last
        and not any(isinstance(step, int) for step in leaf.path)
        and tuple(words(leaf.names[-1])) == change.last
        and (about | _words_of(leaf)) >= change.wanted
    ]
    if len(said_here) != 1 or len(change.is_now) > 1:
        return False
    now = next(iter(change.is_now), None)
    return _other(said_here[0], now, change.was)


def _other(value: str, now: str | None, was: str | None) -> bool:
    """Whether ``value`` is certainly not ``now``: numbers and truths compare, words may be written in two ways."""
    if now is not None:
        if value.casefold() == now.casefold():
            return False
        if (_number(value) and _number(now)) or {value.lower(), now.lower()} <= _TRUTHS:
            return not _number(value) or float(value) != float(now)
    return was is not None and value.casefold() == was.casefold()


def _number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def _first_or_last(change: _Change, told: Sequence[_Told]) -> _Told:
    """Of events that explain a change equally well: the last, or the first of those that all say its value.

    A call says all the values that it sets, also those that it leaves as somebody else made them.
    """
    repeated = change.is_now and all(change.is_now <= _values(change, one) for one in told)
    return (min if repeated else max)(told, key=lambda one: one.event.time)
