"""Compares two policy documents, statement by statement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from driftguard.compare.context import Trail
from driftguard.compare.forms import Path, has_hole, hole, is_empty, key, pointer
from driftguard.compare.policies import is_log_delivery, statement_key, statements, unverifiable_principal
from driftguard.model import DifferenceType, Fold, GapReason, Json

if TYPE_CHECKING:
    from driftguard.compare.walk import Walk

UNVERIFIABLE = "UNVERIFIABLE"
"""A principal is answered by its unique id, and nobody told whose id it is."""


def compare(
    walk: Walk, declared: Mapping[str, Json], live: Mapping[str, Json], path: Path, trail: Trail
) -> None:
    """Report what differs in meaning.  Members beside the statements count only if they are declared."""
    before = len(trail.differences)
    for name, value in declared.items():
        if name == "Statement" or is_empty(value):
            continue
        if name in live:
            walk.value(value, live[name], None, (*path, name), trail, declared)
        elif hole(value) is not None:
            walk.gap((*path, name), GapReason.UNRESOLVED, trail)
        elif not (name == "Version" and value == "2008-10-17"):
            # A document without Version has this one:
            # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
            walk.differ((*path, name), value, None, DifferenceType.REMOVE, trail, "policy-document")
    _statements(walk, statements(declared), statements(live), (*path, "Statement"), trail)
    if len(trail.differences) == before and key(declared) != key(live):
        trail.folded.append(Fold(path=pointer(path), rule="policy-document"))


def _statements(walk: Walk, declared: list[Json], live: list[Json], path: Path, trail: Trail) -> None:
    left, right = _unequal(walk, declared, live)
    for i in list(left):
        if not has_hole(declared[i]):
            continue
        left.remove(i)
        partner = next((j for j in right if _may_be(walk, declared[i], live[j])), None)
        if partner is None and hole(declared[i]) is None:
            walk.differ((*path, i), declared[i], None, DifferenceType.REMOVE, trail, "policy-document")
            continue
        if partner is not None:
            right.remove(partner)
        walk.gap((*path, i), GapReason.UNRESOLVED, trail)
    for i, j in _pairs(declared, live, left, right):
        left.remove(i)
        right.remove(j)
        if unverifiable_principal(live[j]) and _same_but_principal(walk, declared[i], live[j]):
            detail = "a principal is answered by its unique id"
            walk.gap((*path, i, "Principal"), UNVERIFIABLE, trail, detail)
        else:
            walk.differ((*path, i), declared[i], live[j], DifferenceType.NOT_EQUAL, trail, "policy-document")
    for i in left:
        walk.differ((*path, i), declared[i], None, DifferenceType.REMOVE, trail, "policy-document")
    for j in right:
        if is_log_delivery(live[j]):
            trail.folded.append(Fold(path=pointer((*path, j)), rule="log-delivery-statement"))
        else:
            walk.differ((*path, j), None, live[j], DifferenceType.ADD, trail, "policy-document")


def _unequal(walk: Walk, declared: list[Json], live: list[Json]) -> tuple[list[int], list[int]]:
    """Indices of the statements that have no equal; a statement twice says no more than once."""
    keys = [statement_key(statement, walk.context) for statement in live]
    present = set(keys)
    wanted = set()
    left = []
    for i, statement in enumerate(declared):
        if not has_hole(statement):
            found = statement_key(statement, walk.context)
            wanted.add(found)
            if found in present:
                continue
        left.append(i)
    return left, [j for j, found in enumerate(keys) if found not in wanted]


def _pairs(
    declared: list[Json], live: list[Json], left: list[int], right: list[int]
) -> list[tuple[int, int]]:
    """Statements of one Sid; if one is left on each side, these."""
    pairs = []
    free = list(right)
    for i in left:
        sid = declared[i].get("Sid")
        partner = next((j for j in free if sid and live[j].get("Sid") == sid), None)
        if partner is not None:
            free.remove(partner)
            pairs.append((i, partner))
    rest = [i for i in left if i not in {one for one, _ in pairs}]
    if len(rest) == len(free) == 1:
        pairs.append((rest[0], free[0]))
    return pairs


def _may_be(walk: Walk, declared: Json, live: Json) -> bool:
    """Whether everything that is known of ``declared`` agrees with ``live``."""
    if hole(declared) is not None or not isinstance(declared, Mapping):
        return True
    known = {name: value for name, value in declared.items() if not has_hole(value)}
    there = {name: live[name] for name in known if name in live}
    return bool(statement_key(known, walk.context) == statement_key(there, walk.context))


def _same_but_principal(walk: Walk, declared: Mapping[str, Json], live: Mapping[str, Json]) -> bool:
    one, other = (
        statement_key({n: v for n, v in statement.items() if n != "Principal"}, walk.context)
        for statement in (declared, live)
    )
    return bool(one == other)
