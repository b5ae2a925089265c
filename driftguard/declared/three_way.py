"""Git against deployed against live: which two of the three differ.

The repository's template is resolved in the deployed stack's own context, so that only what somebody
wrote differs, never what AWS filled in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from driftguard.declared.positions import join_pointer
from driftguard.declared.text import as_text, document_in
from driftguard.model import (
    DeclaredResource,
    DifferenceType,
    Drift,
    DriftStatus,
    Json,
    Partial,
    PropertyDifference,
    ThreeWayVerdict,
    Unknown,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreeWay:
    """One resource, seen three ways.

    ``undeployed`` are the differences between repository (expected) and deployed template (actual).
    """

    logical_id: str
    type: str
    verdict: ThreeWayVerdict
    undeployed: tuple[PropertyDifference, ...] = ()
    repository: DeclaredResource | None = None
    deployed: DeclaredResource | None = None
    drift: Drift | None = None


def three_way(
    repository: Sequence[DeclaredResource],
    deployed: Sequence[DeclaredResource],
    drifts: Mapping[str, Drift],
    repository_drifts: Mapping[str, Drift] | None = None,
) -> tuple[ThreeWay, ...]:
    """Each resource of one stack, by logical id.

    ``drifts`` compare deployed with live and ``repository_drifts`` repository with live, by logical id.
    Without the latter a resource in which all pairs may differ is called ALL_DIFFER.
    """
    ours = {item.logical_id: item for item in repository}
    theirs = {item.logical_id: item for item in deployed}
    result = []
    for logical_id in dict.fromkeys((*ours, *theirs)):
        wanted, there = ours.get(logical_id), theirs.get(logical_id)
        drift = drifts.get(logical_id)
        undeployed = differences(wanted, there) if wanted and there else ()
        result.append(
            ThreeWay(
                logical_id=logical_id,
                type=(wanted or there or ours[logical_id]).type,
                verdict=_verdict(wanted, there, undeployed, drift, (repository_drifts or {}).get(logical_id)),
                undeployed=undeployed,
                repository=wanted,
                deployed=there,
                drift=drift,
            )
        )
    return tuple(result)


def _verdict(
    wanted: DeclaredResource | None,
    there: DeclaredResource | None,
    undeployed: tuple[PropertyDifference, ...],
    drift: Drift | None,
    repository_drift: Drift | None,
) -> ThreeWayVerdict:
    if there is None:
        return ThreeWayVerdict.ONLY_IN_REPOSITORY
    if wanted is None:
        return ThreeWayVerdict.ONLY_DEPLOYED
    drifted = drift is not None and drift.drifted
    if not undeployed:
        if drift is None or (not drifted and drift.status is not DriftStatus.IN_SYNC):
            return ThreeWayVerdict.NOT_CHECKED
        return ThreeWayVerdict.DRIFTED if drifted else ThreeWayVerdict.ALL_EQUAL
    if not drifted:
        return ThreeWayVerdict.NOT_DEPLOYED
    adopted = repository_drift is not None and not repository_drift.drifted
    return ThreeWayVerdict.ADOPTED if adopted else ThreeWayVerdict.ALL_DIFFER


def differences(repository: DeclaredResource, deployed: DeclaredResource) -> tuple[PropertyDifference, ...]:
    """What the repository declares otherwise than the deployed template.

    A value that either side does not know makes no difference.
    """
    if repository.type != deployed.type:
        return (_difference(("Type",), repository.type, deployed.type),)
    found: list[PropertyDifference] = []
    _compare(repository.properties, deployed.properties, (), found)
    return tuple(found)


_ABSENT = object()


def _compare(one: Json, other: Json, path: tuple[str | int, ...], found: list[PropertyDifference]) -> None:
    if isinstance(one, Unknown) or isinstance(other, Unknown):
        return
    one, other = _alike(one, other), _alike(other, one)
    if isinstance(one, Partial) or isinstance(other, Partial):
        fits = one == other or _fits(one, other) or _fits(other, one)
        if not fits:
            found.append(_difference(path, one, other))
    elif isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in dict.fromkeys((*one, *other)):
            _compare(one.get(key, _ABSENT), other.get(key, _ABSENT), (*path, key), found)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            _compare(left, right, (*path, index), found)
    elif one is _ABSENT or other is _ABSENT or _scalar(one) != _scalar(other):
        found.append(_difference(path, one, other))


def _alike(value: Json, other: Json) -> Json:
    """A text that holds a document, as that document where the other side has one."""
    if isinstance(value, str) and isinstance(other, (Mapping, list)):
        document = document_in(value)
        return value if document is None else document
    return value


def _scalar(value: Json) -> Json:
    """CloudFormation makes no difference between 5 and ``"5"``."""
    return value if isinstance(value, (Mapping, list)) else as_text(value)


def _fits(pattern: Json, value: Json) -> bool:
    if not isinstance(pattern, Partial):
        return False
    return isinstance(value, Partial) or (isinstance(value, str) and pattern.matches(value))


def _difference(path: tuple[str | int, ...], expected: Json, actual: Json) -> PropertyDifference:
    kind = DifferenceType.NOT_EQUAL
    if expected is _ABSENT:
        kind = DifferenceType.ADD
    elif actual is _ABSENT:
        kind = DifferenceType.REMOVE
    return PropertyDifference(
        path=join_pointer(path),
        expected=None if expected is _ABSENT else expected,
        actual=None if actual is _ABSENT else actual,
        type=kind,
        rule="three-way",
    )
