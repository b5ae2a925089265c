"""Undeclared drift: the live state against a witness, the state that was accepted.

A witness is the live model as it was read after a deployment, or as a person accepted it.  What the template
declares is not looked at here (`compare` does that); of the rest, every value that changed, came or went since
then is a confirmed change, but for what changes by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from driftguard.compare.context import CompareContext
from driftguard.compare.documents import parsed
from driftguard.compare.forms import Path, general, is_empty, key, pointer
from driftguard.compare.lists import IDENTITY_KEYS, align
from driftguard.compare.policies import is_policy, statement_key, statements
from driftguard.compare.tables import row
from driftguard.compare.tags import holds_tags, without_foreign
from driftguard.model import Json, UndeclaredValue
from driftguard.schema import TypeSchema


def compare_with_witness(
    live: Mapping[str, Json],
    witness: Mapping[str, Json],
    schema: TypeSchema | None,
    declared: Mapping[str, Json] | None = None,
    context: CompareContext | None = None,
    *,
    resource_type: str = "",
) -> tuple[UndeclaredValue, ...]:
    """The confirmed changes of live-only values since ``witness``, in the order of their paths.

    Each has the value now and the value then; a value that vanished has ``value`` `None`, one that appeared
    ``was_absent``.  Read-only values, volatile values and the order of lists do not count.
    """
    context = context or CompareContext()
    judge = _Judge(schema, schema.name if schema else resource_type, context)
    judge.objects(witness, live, declared or {}, ())
    return tuple(sorted(judge.found, key=lambda one: one.path))


_SWITCH = frozenset(
    {
        "enabled",
        "disabled",
        "enable",
        "disable",
        "suspended",
        "active",
        "inactive",
        "on",
        "off",
        "true",
        "false",
    }
)


def changes_by_itself(schema: TypeSchema | None, type_name: str, path: Path, values: Sequence[Json]) -> bool:
    """Whether what stands at ``path`` changes without anybody's doing.

    A ``Status`` that the schema lets one set, and that is a switch by its values, does not: a bucket's
    versioning is one.  ``values`` are those that were seen.
    """
    place = general(path)
    if schema is not None and schema.is_read_only(place):
        return True
    found = row("volatile", type_name, place)
    if found is None:
        return False
    if schema is None or schema.node(place) is None or "unless" not in found:
        return True
    if found["unless"] == "settable":
        return False
    shown = [str(value).lower() for value in values if value is not None]
    return not (shown and all(value in _SWITCH for value in shown))


class _Judge:
    def __init__(self, schema: TypeSchema | None, type_name: str, context: CompareContext) -> None:
        self._schema = schema
        self._type = type_name
        self._context = context
        self.found: list[UndeclaredValue] = []

    def objects(self, then: Mapping[str, Json], now: Mapping[str, Json], declared: Json, path: Path) -> None:
        known = declared if isinstance(declared, Mapping) else {}
        for name in sorted({*then, *now}):
            place = (*path, name)
            one, other = then.get(name), now.get(name)
            if changes_by_itself(self._schema, self._type, place, (one, other)):
                continue
            if name not in known:
                self._value(one, other, place)
            elif all(
                isinstance(value, Mapping) and not is_policy(value) for value in (one, other, known[name])
            ):
                # The declared part of it is compared with the template; the rest is ours.
                self.objects(one or {}, other or {}, known[name], place)

    def _value(self, then: Json, now: Json, path: Path) -> None:
        if holds_tags(path, self._schema):
            then, _ = without_foreign(then, None, self._context)
            now, _ = without_foreign(now, None, self._context)
        if (is_empty(then) and is_empty(now)) or key(then) == key(now):
            return
        if isinstance(then, str) and isinstance(now, str):
            one, other = parsed(then), parsed(now)
            if one is not None and other is not None:
                if not self._same(one, other):
                    self._changed(then, now, path)
                return
        if isinstance(then, Mapping) and isinstance(now, Mapping) and not is_policy(then):
            self.objects(then, now, {}, path)
        elif isinstance(then, list | tuple) and isinstance(now, list | tuple):
            self._lists(then, now, path)
        elif not self._same(then, now):
            self._changed(then, now, path)

    def _lists(self, then: Sequence[Json], now: Sequence[Json], path: Path) -> None:
        result = align(then, now, lambda i, j: 0 if self._same(then[i], now[j]) else 1)
        for i, j in result.pairs:
            if _named(then[i]):
                self._value(then[i], now[j], (*path, j))
            elif not self._same(then[i], now[j]):
                self._changed(then[i], now[j], (*path, j))
        for i in result.declared:
            self._changed(then[i], None, (*path, i))
        for j in result.live:
            self._changed(None, now[j], (*path, j))

    def _same(self, one: Json, other: Json) -> bool:
        if is_policy(one) and is_policy(other):
            left, right = (
                {statement_key(statement, self._context) for statement in statements(document)}
                for document in (one, other)
            )
            return left == right
        return bool(key(one) == key(other))

    def _changed(self, then: Json, now: Json, path: Path) -> None:
        self.found.append(
            UndeclaredValue(
                path=pointer(path), value=now, confirmed=True, was=then, was_absent=is_empty(then)
            )
        )


def _named(member: Json) -> bool:
    """Whether the member carries an identity, so that a change inside it can be told as such."""
    return isinstance(member, Mapping) and any(name in member for name in IDENTITY_KEYS)
