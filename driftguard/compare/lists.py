"""Which member of one list is which member of the other.

Equal members first, by hash; then members that agree in all that is declared; then by identity key; what is
left is paired best first.  Each step is linear in the length of the lists, so 5,000 rules cost what 5,000
rules must; only a bounded number of unequal pairs is ever looked at closely.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from driftguard.compare.forms import has_hole, is_empty, key, scalar
from driftguard.model import Json

IDENTITY_KEYS: Final = (
    "Key", "Id", "ID", "Name", "Sid", "PolicyName", "ContainerName", "AttributeName", "IndexName",
    "ParameterKey", "ParameterName", "DeviceName", "OptionName", "DomainName", "DestinationId",
    "LifecycleHookName", "RuleName", "AlgorithmName", "StatusCode", "ErrorCode", "Region", "Field", "VolumeName",
    "SourceVolume", "PathPattern", "Arn", "ARN", "Namespace", "TagKey", "key", "name", "id",
)  # fmt: skip
_SMALL: Final = 900
_RARE: Final = 32
_CLOSE_LOOKS: Final = 8


@dataclass(slots=True)
class Alignment:
    """Pairs (declared index, live index), and the indices that found no partner."""

    pairs: list[tuple[int, int]] = field(default_factory=list)
    equal: list[tuple[int, int]] = field(default_factory=list)
    """Pairs that hash alike: nothing more to compare."""
    declared: list[int] = field(default_factory=list)
    live: list[int] = field(default_factory=list)
    identified: bool = False
    """Whether what is left has identity keys, so that unequal keys mean unequal things."""

    def in_order(self) -> bool:
        """Whether the members that were found stand in the declared order."""
        places = [live for _, live in sorted(self.pairs + self.equal)]
        return all(one < other for one, other in pairwise(places))


def align(declared: Sequence[Json], live: Sequence[Json], differs: Callable[[int, int], int]) -> Alignment:
    """Align two lists.  ``differs(i, j)`` counts the differences of a pair; it is asked rarely."""
    result = Alignment(declared=list(range(len(declared))), live=list(range(len(live))))
    _equal_members(declared, live, result)
    if result.declared and result.live:
        _agreeing_members(declared, live, result)
    if result.declared and result.live:
        _by_identity(declared, live, result)
    if result.declared and result.live:
        _best_first(declared, live, result, differs)
    return result


def _take(result: Alignment, pairs: list[tuple[int, int]], *, equal: bool = False) -> None:
    (result.equal if equal else result.pairs).extend(pairs)
    gone, used = {i for i, _ in pairs}, {j for _, j in pairs}
    result.declared = [i for i in result.declared if i not in gone]
    result.live = [j for j in result.live if j not in used]


def _equal_members(declared: Sequence[Json], live: Sequence[Json], result: Alignment) -> None:
    places: dict[Any, list[int]] = {}
    for j in reversed(result.live):
        places.setdefault(key(live[j]), []).append(j)
    pairs = []
    for i in result.declared:
        found = places.get(key(declared[i]))
        if found:
            pairs.append((i, found.pop()))
    _take(result, pairs, equal=True)


def _agreeing_members(declared: Sequence[Json], live: Sequence[Json], result: Alignment) -> None:
    """Objects that agree in everything that is declared and known."""
    indices: dict[frozenset[str], dict[Any, list[int]]] = {}
    used: set[int] = set()
    pairs = []
    for i in result.declared:
        one = declared[i]
        if not isinstance(one, Mapping):
            continue
        names = frozenset(n for n, value in one.items() if not is_empty(value) and not has_hole(value))
        if not names:
            continue
        if names not in indices:
            indices[names] = _index(live, result.live, names)
        found = indices[names].get(frozenset((n, key(one[n])) for n in names))
        while found and found[-1] in used:
            found.pop()
        if found:
            used.add(found[-1])
            pairs.append((i, found.pop()))
    _take(result, pairs)


def _index(live: Sequence[Json], left: list[int], names: frozenset[str]) -> dict[Any, list[int]]:
    places: dict[Any, list[int]] = {}
    for j in reversed(left):
        other = live[j]
        if isinstance(other, Mapping) and names <= other.keys():
            places.setdefault(frozenset((n, key(other[n])) for n in names), []).append(j)
    return places


def _by_identity(declared: Sequence[Json], live: Sequence[Json], result: Alignment) -> None:
    ones = [declared[i] for i in result.declared]
    others = [live[j] for j in result.live]
    if not all(isinstance(member, Mapping) for member in [*ones, *others]):
        return
    for name in IDENTITY_KEYS:
        left = [_identity(member, name) for member in ones]
        right = [_identity(member, name) for member in others]
        if None in left or None in right or len(set(left)) < len(left) or len(set(right)) < len(right):
            continue
        places = dict(zip(right, result.live, strict=True))
        pairs = [(i, places[k]) for i, k in zip(result.declared, left, strict=True) if k in places]
        result.identified = True
        _take(result, pairs)
        return


def _identity(member: Mapping[str, Json], name: str) -> str | None:
    value = member.get(name)
    return scalar(value) if isinstance(value, str | int) and not has_hole(value) else None


def _best_first(
    declared: Sequence[Json], live: Sequence[Json], result: Alignment, differs: Callable[[int, int], int]
) -> None:
    """Pairs with most in common first: those without a difference, then, for objects, the nearest."""
    scores = _scores(declared, live, result)
    looks: dict[int, int] = {}
    seen: dict[tuple[int, int], int] = {}
    free_i, free_j = set(result.declared), set(result.live)
    pairs = []
    small = len(free_i) * len(free_j) <= _SMALL
    for _, i, j in scores:
        if i in free_i and j in free_j and (small or looks.get(i, 0) < _CLOSE_LOOKS):
            looks[i] = looks.get(i, 0) + 1
            seen[i, j] = differs(i, j)
            if seen[i, j] == 0:
                pairs.append((i, j))
                free_i.discard(i)
                free_j.discard(j)
    for count, i, j in sorted((count, i, j) for (i, j), count in seen.items()):
        if (
            i in free_i
            and j in free_j
            and _near(declared[i], live[j], count, len(free_i) == len(free_j) == 1, result)
        ):
            pairs.append((i, j))
            free_i.discard(i)
            free_j.discard(j)
    _take(result, pairs)


def _near(one: Json, other: Json, count: int, is_last: bool, result: Alignment) -> bool:
    """Whether two unequal objects are one object that was changed, rather than one gone and one new."""
    if not (isinstance(one, Mapping) and isinstance(other, Mapping)) or result.identified:
        return False
    return is_last or count <= max(1, len(one) // 2)


def _scores(declared: Sequence[Json], live: Sequence[Json], result: Alignment) -> list[tuple[int, int, int]]:
    """(-features in common, declared, live), best first."""
    small = len(result.declared) * len(result.live) <= _SMALL
    places: dict[Any, list[int]] = {}
    for j in result.live:
        for feature in _features(live[j]):
            places.setdefault(feature, []).append(j)
    found = []
    for i in result.declared:
        counts: dict[int, int] = dict.fromkeys(result.live, 0) if small else {}
        for feature in _features(declared[i]):
            sharing = places.get(feature, ())
            if small or len(sharing) <= _RARE:
                for j in sharing:
                    counts[j] = counts.get(j, 0) + 1
        found += [(-count, i, j) for j, count in counts.items()]
    return sorted(found)


def _features(value: Json) -> list[Any]:
    if isinstance(value, Mapping):
        return [(name, key(child)) for name, child in value.items() if not has_hole(child)]
    if isinstance(value, str):
        # The last word of an ARN, a path or a name, and its letters alone: any spelling of it has these.
        plain = value.lower().rstrip("./ \n")
        return [re.split(r"[:/]", plain)[-1], re.sub(r"[^a-z0-9]", "", plain), _address(plain)]
    return []


def _address(text: str) -> str:
    if text.count(":") > 1:
        try:
            return str(ipaddress.IPv6Interface(text))
        except ValueError:
            return text
    return text
