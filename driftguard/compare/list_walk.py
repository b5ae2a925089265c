"""Compares two lists: which members are the same, which came and went, and whether their order matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from driftguard.compare import absent
from driftguard.compare.context import Trail
from driftguard.compare.forms import Path, general, hole, is_empty, key, pointer, says_nothing
from driftguard.compare.lists import align
from driftguard.compare.tables import listed, row
from driftguard.compare.tags import holds_tags
from driftguard.compare.undeclared import NOTHING
from driftguard.model import DifferenceType, Fold, GapReason, Json, Partial, UndeclaredValue
from driftguard.schema import Node

if TYPE_CHECKING:
    from driftguard.compare.walk import Walk


def compare(
    walk: Walk,
    declared: Sequence[Json],
    live: Sequence[Json],
    node: Node | None,
    path: Path,
    trail: Trail,
    around: Json,
) -> None:
    if holds_tags(path, walk.schema):
        live = walk.own_tags(live, declared, path, trail)
    items = node.items if node else None

    def differs(i: int, j: int) -> int:
        found = Trail()
        # Objects are told apart by their cheap properties; the pair that is taken is compared in full.
        with walk.without_transforms(isinstance(declared[i], Mapping)):
            walk.value(declared[i], live[j], items, (*path, i), found, _around(declared[i], around))
        # An unknown member fits anything; it takes its partner last, when nothing better is left.
        return len(found.differences) if hole(declared[i]) is None or found.differences else 1

    result = align(declared, live, differs)
    for i, j in result.pairs:
        walk.value(declared[i], live[j], items, (*path, i), trail, _around(declared[i], around))
    _leftovers(walk, declared, live, result.declared, result.live, items, path, trail, around, node)
    if not result.in_order():
        _order(walk, declared, live, node, path, trail, whole=not result.declared and not result.live)


def _leftovers(
    walk: Walk,
    declared: Sequence[Json],
    live: Sequence[Json],
    left: list[int],
    right: list[int],
    items: Node | None,
    path: Path,
    trail: Trail,
    around: Json,
    node: Node | None,
) -> None:
    """Members without a partner: unknown ones excuse as many, the rest came or went."""
    right = list(right)
    seen = {key(value) for i, value in enumerate(declared) if i not in left} if left else set()
    for i in left:
        if node is not None and node.insertion_order is False and key(declared[i]) in seen:
            trail.folded.append(Fold(path=pointer((*path, i)), rule="duplicate-member"))
            continue
        unknown = hole(declared[i])
        if unknown is not None:
            fits = [j for j in right if not (isinstance(unknown, Partial) and not _may_be(unknown, live[j]))]
            if fits or not isinstance(unknown, Partial):
                if fits:
                    right.remove(fits[0])
                walk.gap((*path, i), GapReason.UNRESOLVED, trail, unknown.reason)
                continue
        if i in right and not isinstance(declared[i], Mapping | list) and unknown is None:
            right.remove(i)
            walk.differ((*path, i), declared[i], live[i], DifferenceType.NOT_EQUAL, trail)
            continue
        _absent_member(walk, declared[i], items, (*path, i), around, trail)
    _extra_members(walk, [(j, live[j]) for j in right], node, path, trail, around, alone=not declared)


def _absent_member(
    walk: Walk, value: Json, items: Node | None, path: Path, around: Json, trail: Trail
) -> None:
    if says_nothing(value):
        trail.folded.append(Fold(path=pointer(path), rule="declared-empty"))
        return
    verdict = absent.judge(value, walk.place(path, items, around), None, {})
    if verdict.gap == GapReason.WRITE_ONLY:
        walk.gap(path, verdict.gap, trail, verdict.detail)
    else:
        walk.differ(path, value, None, DifferenceType.REMOVE, trail)


def _extra_members(
    walk: Walk,
    extra: list[tuple[int, Json]],
    node: Node | None,
    path: Path,
    trail: Trail,
    around: Json,
    *,
    alone: bool,
) -> None:
    """Members that only the live list has: drift, unless the service or a sibling fills the list."""
    items = node.items if node else None
    holder = around if isinstance(around, Mapping) else {}
    if _filled_by_service(walk, node, path):
        rests = [walk.residue.of(value, (*path, j), items, holder) for j, value in extra]
        rests = [rest for rest in rests if rest is not NOTHING]
        if rests:
            trail.undeclared.append(UndeclaredValue(path=pointer(path), value=rests))
        return
    if alone and extra and walk.residue.is_default([value for _, value in extra], path, node):
        trail.folded.append(Fold(path=pointer(path), rule="documented-default"))
        return
    for j, value in extra:
        if isinstance(value, Mapping) and _idle(walk, value, items, (*path, j)):
            trail.folded.append(Fold(path=pointer((*path, j)), rule="empty-member"))
        elif _implied(walk, value, path):
            trail.folded.append(Fold(path=pointer((*path, j)), rule="implied-member"))
        elif value not in (None, ""):
            walk.differ((*path, j), None, value, DifferenceType.ADD, trail)


def _idle(walk: Walk, value: Json, node: Node | None, path: Path) -> bool:
    """Whether a member says nothing: all that it holds is empty, off or the default.

    AWS answers such members for what is there anyway, as the second tunnel of a VPN connection.
    """
    if isinstance(value, Mapping):
        return all(
            _idle(walk, child, node.child(name) if node else None, (*path, name))
            for name, child in value.items()
        )
    if isinstance(value, list | tuple):
        return all(
            _idle(walk, child, node.items if node else None, (*path, j)) for j, child in enumerate(value)
        )
    return is_empty(value) or value is False or walk.residue.is_default(value, path, node)


def _implied(walk: Walk, value: Json, path: Path) -> bool:
    """Whether AWS adds the member because of what the resource is: a certificate's own name to its list of names."""
    entry = row("implied-member", walk.type_name, general(path))
    if entry is None:
        return False
    wanted = walk.context.region if entry["name"] == "$region" else walk.root(entry["name"])
    shown = list(value.values()) if isinstance(value, Mapping) else [value]
    return bool(wanted) and [key(one) for one in shown] == [key(wanted)]


def _filled_by_service(walk: Walk, node: Node | None, path: Path) -> bool:
    """Whether the registry or the tables say that AWS fills the list with settings of its own."""
    if node is not None and node.attribute_list:
        return True
    return listed("service-filled-list", walk.type_name, general(path))


def _order(
    walk: Walk,
    declared: Sequence[Json],
    live: Sequence[Json],
    node: Node | None,
    path: Path,
    trail: Trail,
    *,
    whole: bool,
) -> None:
    if listed("ordered-list", walk.type_name, general(path)):
        if whole:
            walk.differ(path, declared, live, DifferenceType.NOT_EQUAL, trail, "ordered-list")
    elif node is not None and node.insertion_order is False:
        trail.folded.append(Fold(path=pointer(path), rule="multiset"))
    else:
        trail.reordered.append(pointer(path))


def _around(member: Json, around: Json) -> Json:
    return member if isinstance(member, Mapping) else around


def _may_be(unknown: Partial, live: Json) -> bool:
    return isinstance(live, str) and unknown.matches(live)
