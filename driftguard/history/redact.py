"""Redaction at the door: no secret reaches the store, a report or a log.

A secret becomes ``{"$redacted": TAG}``, inside a longer text ``[redacted:TAG]``.  The tag is an HMAC with the
installation's own key: the same secret has the same tag, so that a changed secret still shows as a change,
and without the key nothing can be guessed from it.  What is a secret is decided by where it stands (paths
by resource type), by the name beside it and by what it looks like; the tables are in ``data/secrets.yaml``.

Compare declared with live first and redact then: redaction keeps equality of equal values, but not equality
of two forms of one value.  A witness comes redacted out of the store, so it is compared with the redacted live
state.  Everything here is idempotent.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from typing import Any

import orjson
import yaml

from driftguard.history.codec import canonical, digest, text
from driftguard.model import (
    Drift,
    Evaluation,
    Finding,
    Gap,
    Json,
    PropertyDifference,
    Report,
    Resource,
    Snapshot,
    StackState,
    UndeclaredValue,
)

MARK = "$redacted"
_TAG = 16
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NESTED = ("{", "[")
_WEAK_LENGTH, _WEAK_BITS = 20, 3.4


@dataclass(frozen=True, slots=True)
class _Tables:
    paths: Mapping[str, tuple[tuple[str, ...], ...]]
    words: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    unless_last: frozenset[str]
    weak_words: frozenset[str]
    fields: tuple[tuple[str, str], ...]
    patterns: tuple[re.Pattern[str], ...]
    harmless: re.Pattern[str]
    harmless_if_weak: re.Pattern[str]


@cache
def _tables() -> _Tables:
    source = resources.files("driftguard.history") / "data" / "secrets.yaml"
    data = yaml.load(source.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return _Tables(
        paths={kind: tuple(_steps(path) for path in paths) for kind, paths in data["paths"].items()},
        words=frozenset(data["words"]),
        pairs=frozenset((one, two) for one, two in data["pairs"]),
        unless_last=frozenset(data["unless_last"]),
        weak_words=frozenset(data["weak_words"]),
        fields=tuple((name, value) for name, value in data["pairs_of_fields"]),
        patterns=tuple(re.compile(pattern) for pattern in data["patterns"]),
        harmless=re.compile("|".join(f"(?:{_inline(p)})" for p in data["harmless"])),
        harmless_if_weak=re.compile("|".join(f"(?:{p})" for p in data["harmless_if_weak"])),
    )


def _inline(pattern: str) -> str:
    """A leading ``(?i)`` as a group of its own, for patterns that are joined."""
    return f"(?i:{pattern[4:]})" if pattern.startswith("(?i)") else pattern


def _steps(pointer: str) -> tuple[str, ...]:
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def _matches(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_matches(pattern[1:], path[start:]) for start in range(len(path) + 1)) or len(pattern) == 1
    return bool(path) and pattern[0] in ("*", path[0]) and _matches(pattern[1:], path[1:])


@lru_cache(maxsize=65536)
def secret_path(resource_type: str, path: tuple[str, ...]) -> bool:
    """Whether the table calls what stands at ``path`` of ``resource_type`` a secret."""
    paths = _tables().paths
    return any(_matches(pattern, path) for kind in (resource_type, "*") for pattern in paths.get(kind, ()))


@lru_cache(maxsize=65536)
def secret_name(name: str) -> str:
    """``strong`` (any text under this name is a secret), ``weak`` (one of high entropy is) or nothing."""
    tables = _tables()
    words = [word.lower() for word in _WORD.findall(name) if not word.isdigit()]
    if not words or words[-1] in tables.unless_last:
        return ""
    pairs = set(pairwise(words))
    if tables.words.intersection(words) or pairs & tables.pairs or "".join(words) in tables.words:
        return "strong"
    return "weak" if tables.weak_words.intersection(words) else ""


def _random(value: str) -> bool:
    """Whether a text looks drawn at random: long, one word, letters and digits, many different ones."""
    if len(value) < _WEAK_LENGTH or any(char.isspace() for char in value):
        return False
    if _tables().harmless_if_weak.fullmatch(value) or not any(char.isdigit() for char in value):
        return False
    counts = Counter(value)
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    return bits >= _WEAK_BITS


class Redactor:
    """Redaction with one installation's key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def tag(self, value: Json) -> str:
        """The tag of a secret."""
        raw = value.encode() if isinstance(value, str) else canonical(value)
        return hmac.new(self._key, raw, hashlib.sha256).hexdigest()[:_TAG]

    def secret(self, value: Json) -> Json:
        """``value`` replaced; containers keep their shape, harmless words and references stay."""
        if isinstance(value, Mapping):
            return value if MARK in value else {name: self.secret(part) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.secret(part) for part in value]
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str) and _tables().harmless.fullmatch(value.strip()):
            return value
        return {MARK: self.tag(value)}

    def text(self, value: str) -> str:
        """A text with every part that looks like a secret replaced."""
        for pattern in _tables().patterns:
            value = pattern.sub(self._replace, value)
        return value

    def _replace(self, match: re.Match[str]) -> str:
        group = "secret" if "secret" in match.re.groupindex else 0
        found = match[group]
        if found.startswith("[redacted:") or _tables().harmless.fullmatch(found.strip("\"'")):
            return match[0]
        start, end = match.start(group) - match.start(), match.end(group) - match.start()
        return f"{match[0][:start]}[redacted:{self.tag(found)}]{match[0][end:]}"

    def tree(self, value: Json, resource_type: str = "", path: tuple[str, ...] = ()) -> Json:
        """A JSON value with its secrets replaced; ``path`` is where it stands in ``resource_type``."""
        if (
            resource_type
            and path
            and not isinstance(value, Mapping | list | tuple)
            and secret_path(resource_type, path)
        ):
            return self.secret(value)
        if isinstance(value, Mapping):
            return value if MARK in value else self._mapping(value, resource_type, path)
        if isinstance(value, list | tuple):
            return [self.tree(part, resource_type, (*path, str(i))) for i, part in enumerate(value)]
        if isinstance(value, str):
            return self._string(value, path[-1] if path else "")
        return value

    def _mapping(self, value: Mapping[str, Json], resource_type: str, path: tuple[str, ...]) -> Json:
        result = {
            str(name): self.tree(part, resource_type, (*path, str(name))) for name, part in value.items()
        }
        for name_field, value_field in _tables().fields:
            name, part = value.get(name_field), value.get(value_field)
            if isinstance(name, str) and isinstance(part, str):
                # `Key` is a word that hides what looks drawn at random; here it holds a name, and no secret.
                result[name_field] = self.text(name)
                result[value_field] = (
                    self._string(part, name) if isinstance(result[value_field], str) else result[value_field]
                )
        return result

    def _string(self, value: str, name: str) -> Json:
        strength = secret_name(name) if name else ""
        if strength == "strong" or (strength == "weak" and _random(value)):
            return self.secret(value)
        if value.lstrip().startswith(_NESTED):
            inner = self._nested(value)
            if inner is not None:
                return inner
        return self.text(value)

    def _nested(self, value: str) -> str | None:
        """JSON in a string: redacted inside, and left byte for byte if there was nothing to redact."""
        try:
            data = orjson.loads(value)
        except orjson.JSONDecodeError:
            return None
        clean = self.tree(data)
        return value if clean == data else canonical(clean).decode()

    # -- model values
    def properties(self, resource_type: str, properties: Mapping[str, Json]) -> Mapping[str, Json]:
        """Properties in CloudFormation shape without their secrets."""
        result: Mapping[str, Json] = self._mapping(properties, resource_type, ())
        return result

    def secrets_in(self, resource_type: str, properties: Mapping[str, Json]) -> frozenset[str]:
        """The texts of ``properties`` that are secrets as a whole.

        What stands beside a value may tell that it is one (the key of a tag, the name of a variable): where it is
        told of the value alone, that is not to be seen any more.
        """
        return frozenset(_replaced(properties, self.properties(resource_type, properties)))

    def resource(self, resource: Resource) -> Resource:
        """A resource without secrets; its state hash is renewed where something was replaced, for a hash
        of a guessable secret is a secret."""
        clean = self.properties(resource.key.type, resource.properties)
        tags = {name: _flat(self._string(value, name)) for name, value in resource.tags.items()}
        if clean == resource.properties:
            return resource if tags == resource.tags else replace(resource, tags=tags)
        return replace(resource, properties=clean, tags=tags, state_hash=digest(clean))

    def snapshot(self, snapshot: Snapshot) -> Snapshot:
        return replace(
            snapshot,
            resources={key: self.resource(resource) for key, resource in snapshot.resources.items()},
            gaps=tuple(self.gap(gap) for gap in snapshot.gaps),
        )

    def at(self, resource_type: str, pointer: str, value: Json, known: Collection[str] = frozenset()) -> Json:
        """A value that stands at ``pointer`` of a resource; ``known`` are secrets of it (`secrets_in`)."""
        path = _steps(pointer)
        value = self._without(value, known) if known else value
        # A wildcard may end above this value: then all of it is secret.
        if any(secret_path(resource_type, path[:end]) for end in range(1, len(path) + 1)):
            return self.secret(value)
        return self.tree(value, resource_type, path)

    def _without(self, value: Json, known: Collection[str]) -> Json:
        if isinstance(value, Mapping):
            return {name: self._without(part, known) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return [self._without(part, known) for part in value]
        return self.secret(value) if isinstance(value, str) and value in known else value

    def _difference(
        self, kind: str, item: PropertyDifference, known: Collection[str] = frozenset()
    ) -> PropertyDifference:
        return replace(
            item,
            expected=self.at(kind, item.path, item.expected, known),
            actual=self.at(kind, item.path, item.actual, known),
        )

    def drift(self, drift: Drift, known: Collection[str] = frozenset()) -> Drift:
        """A drift without secrets; ``known`` are those of its resource, live and declared (`secrets_in`)."""
        kind = drift.key.type

        def undeclared(item: UndeclaredValue) -> UndeclaredValue:
            value, was = (self.at(kind, item.path, part, known) for part in (item.value, item.was))
            return replace(item, value=value, was=was)

        return replace(
            drift,
            differences=tuple(self._difference(kind, item, known) for item in drift.differences),
            undeclared=tuple(undeclared(item) for item in drift.undeclared),
            not_checked=tuple(replace(item, detail=self.text(item.detail)) for item in drift.not_checked),
            disagreement=None if drift.disagreement is None else self.text(drift.disagreement),
        )

    def evaluation(self, evaluation: Evaluation) -> Evaluation:
        return replace(
            evaluation,
            message=self.text(evaluation.message),
            parameters=self._mapping(evaluation.parameters, "", ()),
        )

    def finding(self, finding: Finding) -> Finding:
        """A finding; its detail is judged by the paths that it names."""
        detail = finding.detail
        if detail.startswith("{"):
            detail = text(self._detail(finding.key.type, orjson.loads(detail)))
        return replace(
            finding, title=self.text(finding.title), message=self.text(finding.message), detail=detail
        )

    def _detail(self, kind: str, data: Mapping[str, Json]) -> Json:
        result = {name: part for name, part in data.items() if name in ("differences", "undeclared")}
        clean = {name: self.tree(part, "", (name,)) for name, part in data.items() if name not in result}
        for name, items in result.items():
            clean[name] = [
                {
                    field: self.at(kind, item.get("path", ""), part)
                    if field in ("expected", "actual", "value", "was")
                    else part
                    for field, part in item.items()
                }
                for item in items
            ]
        return clean

    def stack(self, stack: StackState) -> StackState:
        native = None if stack.native is None else self._mapping(stack.native, "", ())
        return replace(stack, native=native)

    def gap(self, gap: Gap) -> Gap:
        return replace(gap, detail=self.text(gap.detail))

    def report(self, report: Report) -> Report:
        """A whole report without secrets, before it is recorded, shown or sent."""
        return replace(
            report,
            run=replace(report.run, error=self.text(report.run.error)),
            drifts=tuple(self.drift(drift) for drift in report.drifts),
            evaluations=tuple(self.evaluation(evaluation) for evaluation in report.evaluations),
            findings=tuple(self.finding(finding) for finding in report.findings),
            resolved=tuple(self.finding(finding) for finding in report.resolved),
            gaps=tuple(self.gap(gap) for gap in report.gaps),
            stacks=tuple(self.stack(stack) for stack in report.stacks),
            three_way=tuple(
                replace(row, undeployed=tuple(self._difference(row.type, one) for one in row.undeployed))
                for row in report.three_way
            ),
            notes=tuple(self.text(note) for note in report.notes),
        )

    def redact_event(
        self, logger: object, method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """A structlog processor: put it after the exception is formatted and before the renderer."""
        for name, value in event.items():
            event[name] = self._logged(value, name)
        return event

    def _logged(self, value: Any, name: str) -> Any:
        if isinstance(value, str):
            return _flat(self._string(value, name))
        if isinstance(value, Mapping | list | tuple):
            return self.tree(value, "", (name,))
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.text(str(value))


def _replaced(value: Json, clean: Json) -> Iterator[str]:
    """The texts of ``value`` in whose place ``clean`` has a tag."""
    if isinstance(value, str):
        if isinstance(clean, Mapping):
            yield value
    elif isinstance(value, Mapping) and isinstance(clean, Mapping):
        for name, part in value.items():
            yield from _replaced(part, clean.get(name))
    elif isinstance(value, list | tuple) and isinstance(clean, list):
        for part, other in zip(value, clean, strict=True):
            yield from _replaced(part, other)


def _flat(value: Json) -> str:
    """A redacted string as a string."""
    return value if isinstance(value, str) else f"[redacted:{value[MARK]}]"
