"""Walks a declared and a live value side by side, guided by the registry schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from driftguard.compare import absent, documents, list_walk, policy_walk
from driftguard.compare.context import CompareContext, Trail
from driftguard.compare.equalities import RULES, Place, Unverifiable
from driftguard.compare.forms import Path, general, has_hole, hole, is_empty, key, plain, pointer, scalar
from driftguard.compare.policies import is_policy
from driftguard.compare.tables import listed, row
from driftguard.compare.tags import holds_tags, without_foreign
from driftguard.compare.twins import echoes, elsewhere
from driftguard.compare.undeclared import NOTHING, Residue
from driftguard.model import (
    DifferenceType,
    Fold,
    GapReason,
    Json,
    NotChecked,
    Partial,
    PropertyDifference,
    UndeclaredValue,
)
from driftguard.model.resource import Tolerance
from driftguard.schema import Node, TypeSchema

_MASK = re.compile(
    r"\*{3,}|[<\[(]?(redacted|sensitive|hidden)[>\])]?|HIDDEN_DUE_TO_SECURITY_REASONS", re.IGNORECASE
)


class Walk:
    """One comparison.  Every method adds to the trail it is given."""

    def __init__(
        self,
        declared: Mapping[str, Json],
        live: Mapping[str, Json],
        schema: TypeSchema | None,
        type_name: str,
        context: CompareContext,
    ) -> None:
        self.context = context
        self.type_name = type_name
        self._declared = declared
        self._live = live
        self.schema = schema
        self.residue = Residue(schema, type_name, context, live)
        self._owned = {_general_pointer(one.path): one for one in context.tolerated}
        self._whole = 0
        """Above 0 inside a document that the template states whole: there, more is different."""

        self._verbatim = 0
        """Above 0 inside a text of the user's own: a policy there is no policy to AWS."""

        self._hurried = False
        """Whether the last rule, which is slow, is left out."""

    @contextmanager
    def without_transforms(self, wanted: bool) -> Iterator[None]:
        """Inside, the registry's transforms are not run, if ``wanted``."""
        before = self._hurried
        self._hurried = before or wanted
        try:
            yield
        finally:
            self._hurried = before

    def run(self) -> Trail:
        """Compare the two resources."""
        trail = Trail()
        root = self.schema.root if self.schema else None
        self._object(self._declared, self._live, root, (), trail)
        return trail

    # -- values ------------------------------------------------------------------------------------------

    def value(
        self, declared: Json, live: Json, node: Node | None, path: Path, trail: Trail, around: Json
    ) -> None:
        """Compare two values that both exist; ``around`` is the declared object that holds the first."""
        if type(declared) is type(live) and declared == live:
            return
        if self._unknown(declared, live, path, trail) or self._tolerated(live, path, trail):
            return
        if listed("not-compared", self.type_name, general(path)):
            self.gap(path, absent.NOT_RETURNED, trail, "AWS answers something else here by design")
            return
        if isinstance(declared, str):
            declared = self._substituted(declared, path)
        if isinstance(declared, Mapping) and isinstance(live, Mapping):
            if not self._verbatim and is_policy(declared) and is_policy(live):
                policy_walk.compare(self, declared, live, path, trail)
            else:
                self._object(declared, live, node, path, trail)
        elif isinstance(declared, list | tuple) and isinstance(live, list | tuple):
            list_walk.compare(self, declared, live, node, path, trail, around)
        elif not self._document(declared, live, path, trail, around):
            self._unlike(declared, live, node, path, trail, around)

    def _unknown(self, declared: Json, live: Json, path: Path, trail: Trail) -> bool:
        unknown = hole(declared)
        if unknown is None:
            return False
        if isinstance(unknown, Partial) and isinstance(live, str) and not unknown.matches(live):
            self.differ(path, str(unknown), live, DifferenceType.NOT_EQUAL, trail, "partial-value")
        else:
            self.gap(path, GapReason.UNRESOLVED, trail, unknown.reason)
        return True

    def _substituted(self, declared: str, path: Path) -> str:
        """The text after the substitutions that the resource itself declares for it, done in one pass."""
        entry = row("substituted-text", self.type_name, general(path))
        given = self._declared.get(entry["name"]) if entry is not None else None
        if not isinstance(given, Mapping):
            return declared

        def value(found: re.Match[str]) -> str:
            known = given.get(found.group(1))
            return found.group() if known is None or has_hole(known) else scalar(known)

        return re.sub(r"\$\{([^}]*)\}", value, declared)

    def _tolerated(self, live: Json, path: Path, trail: Trail) -> bool:
        owned = self._owned.get(general(path)) if self._owned else None
        if owned is None or not _inside(live, owned):
            return False
        trail.folded.append(Fold(path=pointer(path), rule=f"owned:{owned.owner}"))
        return True

    def _document(self, declared: Json, live: Json, path: Path, trail: Trail, around: Json) -> bool:
        """Texts, or a text and a structure, that hold the same document in JSON or YAML."""
        if not isinstance(declared, str) and not isinstance(live, str):
            return False
        for parse, rule in ((documents.parsed, "json-text"), (documents.parsed_yaml, "yaml-text")):
            one = parse(declared) if isinstance(declared, str) else declared
            other = parse(live) if isinstance(live, str) else live
            if other is None and rule == "yaml-text":
                other = documents.parsed(live)
            if one is None and rule == "yaml-text":
                one = documents.parsed(declared)
            if isinstance(one, dict | list) and isinstance(other, dict | list) and type(one) is type(other):
                if (
                    isinstance(declared, str)
                    and isinstance(live, str)
                    and rule == "yaml-text"
                    and not _structured(one)
                ):
                    continue
                self._inside_document(one, other, path, trail, around, rule)
                return True
        return False

    def _inside_document(
        self, one: Json, other: Json, path: Path, trail: Trail, around: Json, rule: str
    ) -> None:
        found = Trail()
        whole = not listed("service-filled-document", self.type_name, general(path))
        verbatim = self.place(path, None, around).users_own
        self._whole += whole
        self._verbatim += verbatim
        self.value(one, other, None, path, found, around)
        self._whole -= whole
        self._verbatim -= verbatim
        if not found.differences:
            found.folded = [Fold(path=pointer(path), rule=rule)]
        trail.take(found)

    def _unlike(
        self, declared: Json, live: Json, node: Node | None, path: Path, trail: Trail, around: Json
    ) -> None:
        """Unequal scalars, or values of different kinds."""
        if isinstance(declared, list | tuple) != isinstance(live, list | tuple):
            if self._one_or_list(declared, live, node, path, trail, around):
                return
        elif not (isinstance(declared, Mapping) or isinstance(live, Mapping)) and self._same_scalar(
            declared, live, node, path, trail, around
        ):
            return
        if is_empty(declared) and is_empty(live):
            trail.folded.append(Fold(path=pointer(path), rule="declared-empty"))
            return
        self.differ(path, declared, live, DifferenceType.NOT_EQUAL, trail)

    def _one_or_list(
        self, declared: Json, live: Json, node: Node | None, path: Path, trail: Trail, around: Json
    ) -> bool:
        one = declared if isinstance(declared, list | tuple) else [declared]
        other = live if isinstance(live, list | tuple) else [live]
        if len(one) == len(other) == 1:
            self.value(one[0], other[0], node.items if node and node.items else node, path, trail, around)
            return True
        for text, members in ((declared, other), (live, one)):
            if not (isinstance(text, str) and "," in text and all(isinstance(m, str) for m in members)):
                continue
            if sorted(part.strip() for part in text.split(",")) == sorted(members):
                trail.folded.append(Fold(path=pointer(path), rule="comma-list"))
                return True
        return False

    def _same_scalar(
        self, declared: Json, live: Json, node: Node | None, path: Path, trail: Trail, around: Json
    ) -> bool:
        if isinstance(live, str) and _MASK.fullmatch(live):
            self.gap(path, GapReason.WRITE_ONLY, trail, "AWS answers a mask instead of the value")
            return True
        place = self.place(path, node, around)
        for name, rule in RULES[:-1] if self._hurried else RULES:
            verdict = rule(declared, live, place)
            if isinstance(verdict, Unverifiable):
                self.gap(path, GapReason.UNRESOLVED, trail, verdict.detail)
                return True
            if verdict:
                trail.folded.append(Fold(path=pointer(path), rule=name))
                return True
        return False

    def root(self, name: str) -> Json:
        """What is declared for the resource's own property ``name``."""
        return self._declared.get(name)

    def place(self, path: Path, node: Node | None, around: Json) -> Place:
        """What the rules may look at, for the pair at ``path``."""
        return Place(
            path=path,
            node=node,
            schema=self.schema,
            type_name=self.type_name,
            context=self.context,
            declared=around,
            root=self._declared,
            live_root=self._live,
        )

    # -- objects -----------------------------------------------------------------------------------------

    def _object(
        self,
        declared: Mapping[str, Json],
        live: Mapping[str, Json],
        node: Node | None,
        path: Path,
        trail: Trail,
    ) -> None:
        if holds_tags(path, self.schema):
            live = self.own_tags(live, declared, path, trail)
        taken = set()
        for name, value in declared.items():
            if value is None:
                continue
            child = node.child(name) if node else None
            found = self._live_name(name, declared, live, node, path, trail)
            twin = elsewhere(name, value, declared, live, node) if found is None else None
            if twin is not None and self.schema and self.schema.is_read_only((*path, twin.name)):
                twin = None
            taken.add(twin.name if twin else found)
            if twin is not None:
                trail.folded.append(Fold(path=pointer((*path, name)), rule=twin.rule))
                self.value(twin.declared, live[twin.name], twin.node, (*path, twin.name), trail, declared)
            elif found is None or live[found] is None:
                self._absent(value, child, (*path, name), (declared, live), node, trail)
            else:
                self.value(value, live[found], child, (*path, name), trail, declared)
        for name, value in live.items():
            if name not in declared and name not in taken:
                self._extra(name, value, node, path, (declared, live), trail)

    def _live_name(
        self,
        name: str,
        declared: Mapping[str, Json],
        live: Mapping[str, Json],
        node: Node | None,
        path: Path,
        trail: Trail,
    ) -> str | None:
        """The name under which the live object holds the property: its own, or one AWS spells otherwise."""
        if name in live:
            return name
        aliases = row("key-alias", self.type_name, general((*path, name)))
        if aliases is not None and aliases["name"] in live and aliases["name"] not in declared:
            trail.folded.append(Fold(path=pointer((*path, name)), rule="key-alias"))
            return str(aliases["name"])
        is_ours = node is not None and not node.free_form and name not in node.names
        if is_ours or listed("key-case", self.type_name, general((*path, name))):
            folded = name.replace("_", "").lower()
            for other in live:
                if other not in declared and other.replace("_", "").lower() == folded:
                    trail.folded.append(Fold(path=pointer((*path, name)), rule="key-case"))
                    return other
        return None

    def _absent(
        self,
        value: Json,
        node: Node | None,
        path: Path,
        objects: tuple[Mapping[str, Json], Mapping[str, Json]],
        parent: Node | None,
        trail: Trail,
    ) -> None:
        """The live one of the two ``objects`` lacks a property that the declared one has."""
        unknown = hole(value)
        if self._tolerated(None, path, trail):
            return
        if unknown is not None and not (self.schema and self.schema.is_write_only(general(path))):
            self.gap(path, GapReason.UNRESOLVED, trail, unknown.reason)
            return
        verdict = absent.judge(value, self.place(path, node, objects[0]), parent, objects[1])
        if verdict.fold:
            trail.folded.append(Fold(path=pointer(path), rule=verdict.fold))
        elif verdict.gap:
            self.gap(path, verdict.gap, trail, verdict.detail)
        else:
            self.differ(path, value, None, DifferenceType.REMOVE, trail)

    def _extra(
        self,
        name: str,
        value: Json,
        node: Node | None,
        path: Path,
        objects: tuple[Mapping[str, Json], Mapping[str, Json]],
        trail: Trail,
    ) -> None:
        """The live one of the two ``objects`` has a property that the declared one lacks."""
        declared, live = objects
        place = (*path, name)
        # A text that the template states whole, and tags (which were rid of foreign ones), admit nothing more.
        if (self._whole and node is None) or holds_tags(path, self.schema):
            if not is_empty(value) and value is not False:
                self.differ(place, None, value, DifferenceType.ADD, trail)
            return
        rest = self.residue.of(value, place, node.child(name) if node else None, live)
        if rest is not NOTHING and not (node is not None and echoes(rest, declared.values(), self._declared)):
            trail.undeclared.append(UndeclaredValue(path=pointer(place), value=rest))

    def own_tags(self, live: Json, declared: Json, path: Path, trail: Trail) -> Json:
        kept, rules = without_foreign(live, declared, self.context)
        trail.folded += [Fold(path=pointer(path), rule=rule) for rule in sorted(rules)]
        return kept

    # -- answers -----------------------------------------------------------------------------------------

    def gap(self, path: Path, reason: str, trail: Trail, detail: str = "") -> None:
        trail.not_checked.append(NotChecked(path=pointer(path), reason=str(reason), detail=detail))

    def differ(
        self, path: Path, expected: Json, actual: Json, kind: DifferenceType, trail: Trail, rule: str = ""
    ) -> None:
        replaces = self.schema is not None and self.schema.is_create_only(general(path))
        trail.differences.append(
            PropertyDifference(
                path=pointer(path),
                expected=plain(expected),
                actual=plain(actual),
                type=kind,
                rule=rule,
                requires_replacement=replaces,
            )
        )


def _structured(value: Json) -> bool:
    """Whether a YAML text is a document rather than prose with a colon in it."""
    return len(value) > 0 and (not isinstance(value, dict) or all(isinstance(name, str) for name in value))


def _general_pointer(text: str) -> tuple[str, ...]:
    parts = [part.replace("~1", "/").replace("~0", "~") for part in text.split("/") if part]
    return tuple("*" if part.isdigit() else part for part in parts)


def _inside(live: Json, owned: Tolerance) -> bool:
    """Whether the live value is one that the owner may choose."""
    if owned.allowed is not None:
        return any(key(value) == key(live) for value in owned.allowed)
    if owned.minimum is None and owned.maximum is None:
        return True
    try:
        number = float(scalar(live))
    except ValueError:
        return False
    lowest = owned.minimum if owned.minimum is not None else number
    highest = owned.maximum if owned.maximum is not None else number
    return lowest <= number <= highest
