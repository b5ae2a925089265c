"""Remedies: which SSM document, with which parameters, answers which policy.  Data under ``policies/remediations``.

A remedy names what it changes as pointers into the CloudFormation shape.  With the documents of driftguard's
own (`SETTER`) those pointers become the patch; with a document that AWS owns they say what is expected, so
that the plan shows it, the state before is saved, and the result is checked.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from driftguard.errors import PolicyError
from driftguard.model import Json, Resource
from driftguard.remediation.documents import AutomationDocument, load_document
from driftguard.remediation.values import ABSENT
from driftguard.rules.source import Document as Source
from driftguard.rules.source import read
from driftguard.schema import registry

REVERTER = "DriftguardRevertResource"
SETTER = "DriftguardSetProperties"
MAKER = "DriftguardMakeResource"
_OWN = (REVERTER, SETTER, MAKER)
_FIELDS = {
    "id", "title", "answers", "types", "document", "parameters", "set", "remove", "deletes", "disruption",
    "why_safe", "inputs", "only_if", "source", "when_not", "effect", "permissions", "touches",
    "ko",
}  # fmt: skip
_KOREAN = ("title", "why_safe", "disruption", "when_not", "effect")
_LIST_FIELDS = ("answers", "types", "remove", "permissions", "touches")


class NotFitting(Exception):
    """A remedy cannot be used for this resource; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """One way to put one fault right.

    ``set`` maps a pointer to a literal value or to a JMESPath expression (``{from: ...}``) over the resource:
    ``properties``, ``identifier``, ``name``, ``arn``, ``account``, ``region``, ``tags`` and ``inputs``.
    ``remove`` are pointers that are taken away.  ``parameters`` are the document's, in the same notation.
    """

    id: str
    title: str
    answers: tuple[str, ...]
    types: tuple[str, ...]
    document: str
    why_safe: str
    parameters: Mapping[str, Json] = field(default_factory=dict)
    set: Mapping[str, Json] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    deletes: bool = False
    disruption: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Names of settings that it needs -> what they are for."""
    only_if: str = ""
    when_not: str = ""
    effect: str = ""
    """What changes outside the resource's own properties, as a sentence."""
    touches: tuple[str, ...] = ()
    """Types of other resources that the document writes: where a template declares one of them for this
    resource, it is the template that has to change."""
    permissions: tuple[str, ...] = ()
    """IAM actions that the document needs beyond what the type's update handler calls."""
    source: str = ""
    file: str = ""
    ko: Mapping[str, Any] = field(default_factory=dict)
    """``title``, ``why_safe``, ``disruption``, ``when_not``, ``effect`` and the meanings of ``inputs`` in Korean."""

    def wanted(self, resource: Resource, inputs: Mapping[str, str]) -> dict[str, Json]:
        """Pointer -> value after the remedy; `ABSENT` for what it takes away.  Raises `NotFitting`."""
        view = self._view(resource, inputs)
        wanted = {place: _value(spec, view) for place, spec in self.set.items()}
        missing = [place for place, value in wanted.items() if value is None]
        if missing:
            raise NotFitting(f"The value for {missing[0]} cannot be told from the resource.")
        return {**wanted, **dict.fromkeys(self.remove, ABSENT)}

    def arguments(self, resource: Resource, inputs: Mapping[str, str]) -> dict[str, list[str]]:
        """The document's parameters, the role left out.  Raises `NotFitting`."""
        view = self._view(resource, inputs)
        found: dict[str, list[str]] = {}
        for name, spec in self.parameters.items():
            value = _value(spec, view)
            if value is None:
                raise NotFitting(f"The parameter {name} cannot be told from the resource.")
            found[name] = [_text(item) for item in (value if isinstance(value, list) else [value])]
        return found

    def _view(self, resource: Resource, inputs: Mapping[str, str]) -> dict[str, Json]:
        missing = [name for name in self.inputs if not inputs.get(name)]
        if missing:
            raise NotFitting(
                f"It needs {missing[0]} ({self.inputs[missing[0]]}); set `remediation.inputs.{missing[0]}`."
            )
        view = {
            "properties": resource.properties,
            "identifier": resource.key.identifier,
            "name": resource.name or resource.key.identifier,
            "arn": resource.arn,
            "account": resource.key.account,
            "region": resource.key.region,
            "partition": resource.key.partition,
            "tags": dict(resource.tags),
            "inputs": dict(inputs),
        }
        if self.only_if and not jmespath.search(self.only_if, view):
            raise NotFitting(sentence(self.when_not) or "It does not fit this resource.")
        return view


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedies:
    """All remedies and the documents that travel with driftguard."""

    remedies: tuple[Remedy, ...] = ()
    documents: Mapping[str, AutomationDocument] = field(default_factory=dict)

    def of(self, policy: str, type_name: str, aliases: Sequence[str] = ()) -> tuple[Remedy, ...]:
        """The remedies for a policy on a type, in the order of their files: the first that fits is taken."""
        names = {policy, *aliases}
        return tuple(
            one
            for one in self.remedies
            if names & set(one.answers) and any(fnmatch.fnmatchcase(type_name, kind) for kind in one.types)
        )

    def korean(self) -> dict[str, str]:
        """Everything that a remedy says in English, and the Korean of it."""
        pairs: dict[str, str] = {}
        for one in self.remedies:
            pairs |= {getattr(one, name): one.ko[name] for name in _KOREAN if name in one.ko}
            pairs |= {one.inputs[name]: told for name, told in one.ko.get("inputs", {}).items()}
        return pairs

    def answered(self) -> frozenset[str]:
        """Every policy id that has a remedy."""
        return frozenset(name for one in self.remedies for name in one.answers)


def load_remedies(folders: Iterable[Path]) -> Remedies:
    """Every remedy below ``folders`` and every document below their ``documents`` folders.

    Raises `PolicyError` with file, line and fix.
    """
    remedies: list[Remedy] = []
    documents: dict[str, AutomationDocument] = {}
    taken: dict[str, str] = {}
    for folder in folders:
        for path in sorted((folder / "documents").glob("*.yaml")):
            documents[path.stem] = load_document(path)
        for path in sorted(folder.glob("*.yaml")):
            for remedy in _remedies(read(path), documents):
                if remedy.id in taken:
                    raise PolicyError(f"the remedy {remedy.id} stands in {taken[remedy.id]} and {path}.")
                taken[remedy.id] = str(path)
                remedies.append(remedy)
    return Remedies(remedies=tuple(remedies), documents=documents)


def _remedies(source: Source, documents: Mapping[str, AutomationDocument]) -> list[Remedy]:
    rows = source.data.get("remedies") if isinstance(source.data, Mapping) else None
    if not isinstance(rows, list):
        raise PolicyError(
            "a remedy file holds a list `remedies`.", where=source.where(), fix="Begin with `remedies:`."
        )
    return [_remedy(source, index, row, documents) for index, row in enumerate(rows)]


def _remedy(source: Source, index: int, row: Any, documents: Mapping[str, AutomationDocument]) -> Remedy:
    def wrong(message: str, *path: str, fix: str = "") -> PolicyError:
        return PolicyError(message, where=source.where("remedies", index, *path), fix=fix)

    if not isinstance(row, Mapping):
        raise wrong("a remedy is a mapping.")
    for name in row:
        if name not in _FIELDS:
            raise wrong(
                f"a remedy has no field `{name}`.", name, fix=f"Fields: {', '.join(sorted(_FIELDS))}."
            )
    for name in ("id", "title", "answers", "types", "why_safe"):
        if not row.get(name):
            raise wrong(f"the remedy needs `{name}`.")
    for name in _LIST_FIELDS:
        if not isinstance(row.get(name, []), list):
            raise wrong(f"`{name}` is a list.", name)
    _check_korean(row, wrong)
    remedy = Remedy(
        **{
            **row,
            **{name: tuple(row.get(name, ())) for name in _LIST_FIELDS},
            "document": row.get("document", SETTER),
            "file": source.file,
        }
    )
    _check_places(remedy, wrong)
    _check_expressions(remedy, wrong)
    _check_document(remedy, documents.get(remedy.document), wrong)
    return remedy


def _check_korean(row: Mapping[str, Any], wrong: Any) -> None:
    told = row.get("ko", {})
    if not isinstance(told, Mapping) or not isinstance(told.get("inputs", {}), Mapping):
        raise wrong("`ko` is a mapping of texts, and so is `inputs` in it.", "ko")
    strange = [name for name in told if name not in (*_KOREAN, "inputs") or not row.get(name)]
    strange += [name for name in told.get("inputs", {}) if name not in row["inputs"]]
    if strange:
        raise wrong(f"`ko` tells `{strange[0]}`, which the remedy does not say.", "ko")


def _check_places(remedy: Remedy, wrong: Any) -> None:
    if not remedy.set and not remedy.remove and not remedy.effect:
        raise wrong(
            "the remedy does not say what it changes.",
            fix="Name pointers under `set` or `remove`, or say the `effect`.",
        )
    for type_name in remedy.types:
        schema = registry().get(type_name)
        if schema is None:
            continue  # accounts and wildcards have no schema
        if remedy.document == SETTER and "update" not in schema.handlers:
            raise wrong(
                f"Cloud Control cannot change {type_name}, so {SETTER} cannot.",
                "types",
                fix="Name a document that changes it by the service's own API.",
            )
        for place in (*remedy.set, *remedy.remove):
            if not schema.known(place):
                near = schema.suggestion(place)
                raise wrong(
                    f"{type_name} has no property {place}.",
                    "set",
                    fix=f"Did you mean {near}?" if near else "Look at the type's schema.",
                )
            parts = tuple(place.split("/")[1:])
            if remedy.document == SETTER and schema.is_create_only(parts):
                raise wrong(f"{place} of {type_name} cannot be changed without replacing it.", "set")


def _check_expressions(remedy: Remedy, wrong: Any) -> None:
    places = [("set", name, spec) for name, spec in remedy.set.items()]
    places += [("parameters", name, spec) for name, spec in remedy.parameters.items()]
    for section, name, spec in places:
        if _is_expression(spec):
            try:
                jmespath.compile(spec["from"])
            except JMESPathError as error:
                said = " ".join(str(error).split())[:160]
                raise wrong(f"the expression of {name} does not parse: {said}", section, name) from None
    if remedy.only_if:
        try:
            jmespath.compile(remedy.only_if)
        except JMESPathError as error:
            raise wrong(
                f"`only_if` does not parse: {' '.join(str(error).split())[:160]}", "only_if"
            ) from None


def _check_document(remedy: Remedy, document: AutomationDocument | None, wrong: Any) -> None:
    if remedy.document in _OWN or document is None:
        return
    if document.deletes and not remedy.deletes:
        raise wrong(f"{document.name} takes something away.", "document", fix="Say `deletes: true`.")
    for name in remedy.parameters:
        if name not in document.parameters:
            raise wrong(f"{document.name} has no parameter {name}.", "parameters", name)


def _is_expression(spec: Json) -> bool:
    return isinstance(spec, Mapping) and set(spec) == {"from"}


def _value(spec: Json, view: Mapping[str, Json]) -> Json:
    if not _is_expression(spec):
        return spec
    try:
        return jmespath.search(spec["from"], view)
    except JMESPathError as error:
        raise NotFitting(
            f"An expression fails on this resource: {' '.join(str(error).split())[:160]}"
        ) from None


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else str(value)


def sentence(text: str) -> str:
    """``text`` with a capital letter first."""
    return text[:1].upper() + text[1:]
