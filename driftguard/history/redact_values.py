"""JSON values, texts and properties without their secrets.

A secret becomes ``{"$redacted": TAG}``, inside a longer text ``[redacted:TAG]``; `driftguard.history.redact`
says why.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection, Iterator, Mapping
from functools import reduce
from typing import TypeAlias

import orjson

from driftguard.history.codec import canonical
from driftguard.history.secret_signs import (
    STRONG,
    UNTOLD,
    WEAK,
    arguments,
    harmless,
    number_stays,
    random,
    secret_name,
    secret_path,
    steps,
    tables,
    told,
)
from driftguard.model import Json

MARK = "$redacted"
_TAG = 16
_NESTED = ("{", "[")
# As tuples, for they are asked for every value of every resource; `dict` first, for it is answered at once.
_MAPS, _LISTS = (dict, Mapping), (list, tuple)
_CONTAINERS = (*_MAPS, *_LISTS)
Path: TypeAlias = tuple[str, ...]
Listed: TypeAlias = list[Json] | tuple[Json, ...]


class Values:
    """Redaction of values with one installation's key."""

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
        if isinstance(value, _LISTS):
            return _like(value, [self.secret(part) for part in value])
        if value is None or isinstance(value, bool) or (isinstance(value, str) and harmless(value)):
            return value
        return {MARK: self.tag(value)}

    def text(self, value: str) -> str:
        """A text with every part that looks like a secret replaced."""
        low = value.lower()
        for hints, pattern in tables().patterns:
            for hint in hints:
                if hint in low:
                    value = pattern.sub(self._replace, value)
                    break
        return value

    def texts(self, value: Json) -> Json:
        """A JSON value with every text in it judged by what it looks like alone, as `text` does."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, _MAPS):
            return {name: self.texts(part) for name, part in value.items()}
        return _like(value, [self.texts(part) for part in value]) if isinstance(value, _LISTS) else value

    def _replace(self, match: re.Match[str]) -> str:
        group = "secret" if "secret" in match.re.groupindex else 0
        found = match[group]
        if found.startswith("[redacted:") or harmless(found.strip("\"'")):
            return match[0]
        start, end = match.start(group) - match.start(), match.end(group) - match.start()
        return f"{match[0][:start]}[redacted:{self.tag(found)}]{match[0][end:]}"

    def tree(self, value: Json, resource_type: str = "", path: Path = ()) -> Json:
        """A JSON value with its secrets replaced; ``path`` is where it stands in ``resource_type``."""
        return self._tree(value, resource_type, path, reduce(_told, path, UNTOLD))

    def _tree(self, value: Json, kind: str, path: Path, above: str) -> Json:
        """``above`` is what the names on ``path`` tell of ``value``."""
        # What stands below a pattern with `**` is gone through, for the names beside values are no secrets.
        if (
            kind
            and path
            and secret_path(kind, path)
            and not (isinstance(value, _CONTAINERS) and secret_path(kind, (*path, "")))
        ):
            return self.secret(value)
        if isinstance(value, str):
            return self._string(value, above)
        if isinstance(value, _MAPS):
            return value if MARK in value else self._mapping(value, kind, path, above)
        if isinstance(value, _LISTS):
            return self._list(value, kind, path, above)
        if above == STRONG and isinstance(value, int | float) and not isinstance(value, bool):
            named = next((step for step in reversed(path) if not step.isdigit()), "")
            return value if number_stays(named) else {MARK: self.tag(value)}
        return value

    def _list(self, value: Listed, kind: str, path: Path, above: str) -> Json:
        result = [self._tree(part, kind, (*path, str(i)), above) for i, part in enumerate(value)]
        for place in arguments(value):
            result[place] = self.secret(value[place])
        return _like(value, result)

    def _mapping(self, value: Mapping[str, Json], kind: str, path: Path, above: str) -> Json:
        result = {
            str(name): self._tree(part, kind, (*path, str(name)), told(str(name), above))
            for name, part in value.items()
        }
        if tables().name_fields.isdisjoint(result):
            return result
        for name_field, value_field in tables().fields:
            name = value.get(name_field)
            if not isinstance(name, str) or value_field not in value:
                continue
            # `Key` is a word that hides what looks drawn at random; here it holds a name, and no secret.
            result[name_field] = self.text(name)
            part, strength = value[value_field], secret_name(name)
            if strength == STRONG or (strength == WEAK and isinstance(result[value_field], str)):
                result[value_field] = self._tree(part, "", (name,), strength)
        return result

    def _string(self, value: str, above: str) -> Json:
        if above == STRONG or (above == WEAK and random(value)):
            return self.secret(value)
        if above == WEAK:
            for pattern in tables().weak_patterns:
                value = pattern.sub(self._replace, value)
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

    # -- what a resource holds
    def properties(self, resource_type: str, properties: Mapping[str, Json]) -> Mapping[str, Json]:
        """Properties in CloudFormation shape without their secrets."""
        result: Mapping[str, Json] = self._mapping(properties, resource_type, (), UNTOLD)
        return result

    def named(self, name: str, value: str) -> str:
        """The text under ``name``, which stays a text: the value of a tag, a field of a log."""
        return flat(self._string(value, secret_name(name)))

    def tags(self, tags: Mapping[str, str]) -> Mapping[str, str]:
        """Tags as a map, each judged by its key."""
        clean = {name: self.named(name, value) for name, value in tags.items()}
        return tags if clean == tags else clean

    def secrets_in(self, resource_type: str, properties: Mapping[str, Json]) -> frozenset[str]:
        """The texts of ``properties`` that are secrets as a whole.

        What stands beside a value may tell that it is one (the key of a tag, the name of a variable): where it is
        told of the value alone, that is not to be seen any more.
        """
        return frozenset(_replaced(properties, self.properties(resource_type, properties)))

    def at(self, resource_type: str, pointer: str, value: Json, known: Collection[str] = frozenset()) -> Json:
        """A value that stands at ``pointer`` of a resource; ``known`` are secrets of it (`secrets_in`)."""
        path = steps(pointer)
        value = self._without(value, known) if known else value
        # A wildcard may end above this value: then all of it is secret.
        if any(secret_path(resource_type, path[:end]) for end in range(1, len(path) + 1)):
            return self.secret(value)
        return self.tree(value, resource_type, path)

    def _without(self, value: Json, known: Collection[str]) -> Json:
        if isinstance(value, Mapping):
            return {name: self._without(part, known) for name, part in value.items()}
        if isinstance(value, _LISTS):
            return _like(value, [self._without(part, known) for part in value])
        return self.secret(value) if isinstance(value, str) and value in known else value


def _like(value: Listed, parts: list[Json]) -> Listed:
    """``parts`` as a tuple where ``value`` is one, so that what has no secrets equals what it was."""
    return tuple(parts) if isinstance(value, tuple) else parts


def _told(above: str, name: str) -> str:
    return told(name, above)


def _replaced(value: Json, clean: Json) -> Iterator[str]:
    """The texts of ``value`` in whose place ``clean`` has a tag."""
    if isinstance(value, str):
        if isinstance(clean, Mapping):
            yield value
    elif isinstance(value, Mapping) and isinstance(clean, Mapping):
        for name, part in value.items():
            yield from _replaced(part, clean.get(name))
    elif isinstance(value, _LISTS) and isinstance(clean, _LISTS):
        for part, other in zip(value, clean, strict=True):
            yield from _replaced(part, other)


def flat(value: Json) -> str:
    """A redacted string as a string."""
    return value if isinstance(value, str) else f"[redacted:{value[MARK]}]"
