"""Reads what may lie on declared parents without being declared: policies, routes, hooks, subscriptions.

AWS Config records none of these as resources of their own, so they are asked for where their parents are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from driftguard.aws import Place
from driftguard.aws.gaps import gap_of
from driftguard.declared.out_of_band import ChildType, Found
from driftguard.errors import AwsError, GoneError
from driftguard.live import cloud_control
from driftguard.model import DeclaredResource, Gap, GapReason, Resource
from driftguard.schema import registry
from driftguard.settings import Settings

_AT_ONCE = 8
Seen = Resource | Gap


def asked(settings: Settings) -> bool:
    """Whether the settings ask for what lies on declared resources by hand."""
    return settings.scope.complete and settings.scan.unmanaged and settings.scan.cloud_control


def children(
    place: Place,
    kinds: Sequence[ChildType],
    declared: Sequence[DeclaredResource],
    cancelled: Callable[[], bool],
) -> Iterator[Seen]:
    """The live children of ``kinds`` that are not declared themselves; what is refused is a gap."""
    known = {(one.type, one.identifier) for one in declared if one.identifier is not None}
    parents: dict[str, list[str]] = defaultdict(list)
    for one in declared:
        if one.physical_id:
            parents[one.type].append(one.physical_id)
    tasks = [
        task
        for kind in kinds
        if parents[kind.parent]
        for task in _tasks(place, kind, parents[kind.parent], known)
    ]
    interrupted = False

    def ask(task: Callable[[], list[Seen]]) -> list[Seen]:
        nonlocal interrupted
        interrupted = interrupted or cancelled()
        return [] if interrupted else task()

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="children") as pool:
        for found in pool.map(ask, tasks):
            yield from found
    for kind in kinds if interrupted else ():
        detail = "The scan was interrupted before all of them were read."
        yield Gap(
            reason=GapReason.INTERRUPTED,
            account=place.account,
            region=place.region,
            detail=detail,
            type=kind.type,
        )


def _tasks(
    place: Place, kind: ChildType, parents: Sequence[str], known: set[tuple[str, str]]
) -> Iterator[Callable[[], list[Seen]]]:
    if kind.found is Found.LISTED:
        yield partial(_guarded, place, kind, partial(_listed, place, kind, None, frozenset(parents), known))
        return
    for parent in parents:
        if kind.found is Found.LISTED_BELOW:
            ask = partial(_listed, place, kind, parent, frozenset((parent,)), known)
        elif (kind.type, parent) in known:
            continue
        else:
            ask = partial(_only, place, kind, parent)
        yield partial(_guarded, place, kind, ask)


def _guarded(place: Place, kind: ChildType, ask: Callable[[], Iterable[Resource]]) -> list[Seen]:
    try:
        return list(ask())
    except GoneError:
        return []
    except AwsError as error:
        return [gap_of(error, place.account, place.region, type_name=kind.type)]


def _only(place: Place, kind: ChildType, parent: str) -> Iterator[Resource]:
    """The one child that a parent can have."""
    found = cloud_control.read(place, kind.type, parent)
    yield replace(found, properties={kind.link: parent, **found.properties})


def _listed(
    place: Place, kind: ChildType, parent: str | None, parents: frozenset[str], known: set[tuple[str, str]]
) -> Iterator[Resource]:
    """Those of a list that lie on one of ``parents`` and are declared nowhere, each read in full."""
    below = {kind.link: parent} if parent is not None else None
    for identifier, model in place.cloud_control.list(kind.type, below):
        on = parent or _parent_of(kind, identifier, model)
        if on not in parents or (kind.type, identifier) in known:
            continue
        try:
            found = cloud_control.read(place, kind.type, identifier)
        except GoneError:
            continue
        yield replace(found, properties={kind.link: on, **found.properties})


def _parent_of(kind: ChildType, identifier: str, model: dict[str, object]) -> str:
    """The parent's name: in the (abridged) model, a part of the identifier, or before the last colon of it."""
    if isinstance(model.get(kind.link), str):
        return str(model[kind.link])
    schema = registry().get(kind.type)
    names = [pointer[-1] for pointer in schema.primary_identifier] if schema else []
    if kind.link in names:
        return dict(zip(names, identifier.split("|"), strict=False)).get(kind.link, "")
    return identifier.rpartition(":")[0]
