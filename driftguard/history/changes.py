"""What changed between two states of one resource, property by property."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from driftguard.history.codec import canonical
from driftguard.model import Json

_ABSENT = object()
_IDENTITIES = ("Key", "Id", "AttributeName", "IndexName", "Name", "Sid", "RuleId", "PolicyName", "DeviceName")


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyChange:
    """One value that changed; ``added``: it was not there before, ``removed``: it is not there any more."""

    path: str
    before: Json = None
    after: Json = None
    added: bool = False
    removed: bool = False


def _ordered(path: str) -> bool:
    """No list is unordered: the order of each says something."""
    return False


def property_changes(
    before: Json, after: Json, path: str = "", unordered: Callable[[str], bool] = _ordered
) -> tuple[PropertyChange, ...]:
    """The changes that lead from ``before`` to ``after``.

    Lists are aligned by what their elements have in common, so that one element put in front is one change;
    the same elements in another order are one change of the whole list, or none where it is ``unordered``.
    """
    return tuple(_walk(before, after, path, unordered))


def _walk(before: Json, after: Json, path: str, unordered: Callable[[str], bool]) -> Iterator[PropertyChange]:
    if before is _ABSENT:
        yield PropertyChange(path=path, after=after, added=True)
    elif after is _ABSENT:
        yield PropertyChange(path=path, before=before, removed=True)
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted(before.keys() | after.keys()):
            step = name.replace("~", "~0").replace("/", "~1")
            yield from _walk(before.get(name, _ABSENT), after.get(name, _ABSENT), f"{path}/{step}", unordered)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(before, after, path, unordered)
    elif type(before) is not type(after) or before != after:
        yield PropertyChange(path=path, before=before, after=after)


def _lists(
    before: Sequence[Json], after: Sequence[Json], path: str, unordered: Callable[[str], bool]
) -> Iterator[PropertyChange]:
    old, new = [canonical(item) for item in before], [canonical(item) for item in after]
    if old == new:
        return
    if Counter(old) == Counter(new):
        if not unordered(path):
            yield PropertyChange(path=path, before=list(before), after=list(after))
        return
    left, right = _unmatched(old, new)
    pairs = _pairs(before, after, left, right)
    for i, j in pairs:
        yield from _walk(before[i], after[j], f"{path}/{j}", unordered)
    paired_left, paired_right = {i for i, _ in pairs}, {j for _, j in pairs}
    for i in left:
        if i not in paired_left:
            yield PropertyChange(path=f"{path}/{i}", before=before[i], removed=True)
    for j in right:
        if j not in paired_right:
            yield PropertyChange(path=f"{path}/{j}", after=after[j], added=True)


def _unmatched(old: list[bytes], new: list[bytes]) -> tuple[list[int], list[int]]:
    """The positions that no equal element of the other list answers."""
    spare = Counter(new)
    left = []
    for index, item in enumerate(old):
        if spare[item]:
            spare[item] -= 1
        else:
            left.append(index)
    spare = Counter(old)
    right = []
    for index, item in enumerate(new):
        if spare[item]:
            spare[item] -= 1
        else:
            right.append(index)
    return left, right


def _pairs(
    before: Sequence[Json], after: Sequence[Json], left: list[int], right: list[int]
) -> list[tuple[int, int]]:
    """Which changed element became which: by identity, else by position when it is one object each."""
    names = {_identity(after[j]): j for j in right if _identity(after[j]) is not None}
    pairs = [(i, names[name]) for i in left if (name := _identity(before[i])) in names and name is not None]
    if pairs:
        return pairs
    if (
        len(left) == len(right) == 1
        and isinstance(before[left[0]], Mapping)
        and isinstance(after[right[0]], Mapping)
    ):
        return [(left[0], right[0])]
    return []


def _identity(item: Json) -> tuple[str, str] | None:
    if isinstance(item, Mapping):
        for name in _IDENTITIES:
            if isinstance(item.get(name), str):
                return (name, item[name])
    return None
