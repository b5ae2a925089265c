"""What is done to a template before its functions are resolved: includes and loops.

Document in, document out.  `Origins` remembers where a generated resource came from.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from driftguard.declared.positions import Path as Steps
from driftguard.declared.template import INCLUDE, Template, parse_document, read_text
from driftguard.errors import TemplateError
from driftguard.model import Json

LOOP = "Fn::ForEach::"
Origins = dict[str, Steps]
"""Logical id -> the path in the source document of what made it."""

_MAX_INCLUDES = 50
_MAX_GENERATED = 100_000


class Loops:
    """Expands ``Fn::ForEach`` everywhere in a document.

    ``collection`` resolves a loop's collection; a loop whose collection is no list of strings is left as
    it is.
    """

    def __init__(self, template: Template, collection: Callable[[Json], Json]) -> None:
        self._template = template
        self._collection = collection
        self._generated = 0
        self.origins: Origins = {}

    def expand(self, document: Mapping[str, Json]) -> dict[str, Json]:
        """The document without loops.  Raises `TemplateError` for a loop that is not one."""
        result = dict(document)
        for section in ("Conditions", "Resources", "Outputs"):
            body = result.get(section)
            if isinstance(body, Mapping):
                result[section] = self._body(body, {}, (section,), note=section == "Resources")
        return result

    def _body(
        self, body: Mapping[str, Json], names: Mapping[str, str], path: Steps, *, note: bool
    ) -> dict[str, Json]:
        result: dict[str, Json] = {}
        for key, value in body.items():
            made: dict[str, Json]
            if key.startswith(LOOP):
                made = self._loop(key, value, names, (*path, key), note=note)
            else:
                name = _fill(key, names)
                made = {name: self._value(value, names, (*path, key))}
                if note and names:
                    self.origins[name] = (*path, key)
            for name, item in made.items():
                if name in result:
                    raise self._error((*path, key), f"{name} is declared twice, the second time by {key}.")
                result[name] = item
        return result

    def _loop(
        self, key: str, loop: Json, names: Mapping[str, str], path: Steps, *, note: bool
    ) -> dict[str, Json]:
        if not (isinstance(loop, list) and len(loop) == 3 and isinstance(loop[2], Mapping)):
            raise self._error(path, f"{key} takes a name, a collection and a map.")
        collection = self._collection(self._value(loop[1], names, path))
        if not isinstance(collection, list) or any(not isinstance(item, (str, int)) for item in collection):
            return {key: self._value(loop, names, path)}
        result: dict[str, Json] = {}
        for item in collection:
            self._generated += 1
            if self._generated > _MAX_GENERATED:
                raise self._error(path, f"loops make more than {_MAX_GENERATED:,} values.")
            inner = {**names, str(loop[0]): str(item)}
            for name, value in self._body(loop[2], inner, (*path, 2), note=note).items():
                if name in result:
                    raise self._error(path, f"{key} makes {name} twice.")
                result[name] = value
        return result

    def _value(self, value: Json, names: Mapping[str, str], path: Steps) -> Json:
        """``value`` with its loops expanded and the loop names of the loops around it put in."""
        if isinstance(value, Mapping):
            if len(value) == 1 and isinstance(value.get("Ref"), str) and value["Ref"] in names:
                return names[value["Ref"]]
            if any(key.startswith(LOOP) for key in value) or names:
                return self._body(value, names, path, note=False)
            return {key: self._value(item, names, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._value(item, names, (*path, index)) for index, item in enumerate(value)]
        return _fill(value, names) if isinstance(value, str) and names else value

    def _error(self, path: Steps, message: str) -> TemplateError:
        return TemplateError(message, where=self._template.where(path))


_PLACE = re.compile(r"([$&])\{([A-Za-z0-9]+)\}")


def _fill(text: str, names: Mapping[str, str]) -> str:
    """``${Name}`` and ``&{Name}`` of the loops around; the latter keeps letters and digits alone."""
    if not names or "{" not in text:
        return text

    def put(match: re.Match[str]) -> str:
        value = names.get(match[2])
        if value is None:
            return match[0]
        return value if match[1] == "$" else re.sub(r"[^A-Za-z0-9]", "", value)

    return _PLACE.sub(put, text)


def has_loops(value: Json) -> bool:
    """Whether there is a ``Fn::ForEach`` anywhere."""
    if isinstance(value, Mapping):
        return any(key.startswith(LOOP) or has_loops(item) for key, item in value.items())
    return isinstance(value, list) and any(has_loops(item) for item in value)


def include(template: Template, document: Mapping[str, Json]) -> Mapping[str, Json]:
    """``AWS::Include`` replaced where its file stands beside the template; the rest is left as it is.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-include.html
    """
    return _Includes(Path(template.file).parent).document(document)


class _Includes:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read = 0

    def document(self, document: Mapping[str, Json]) -> Mapping[str, Json]:
        result = {key: self.value(item) if key != "Transform" else item for key, item in document.items()}
        transform = document.get("Transform")
        for item in transform if isinstance(transform, list) else [transform]:
            included = self._included(item) if isinstance(item, Mapping) else None
            for key, value in (included or {}).items():
                old = result.get(key)
                merged = isinstance(old, Mapping) and isinstance(value, Mapping)
                result[key] = {**value, **(old or {})} if merged else value
        return result

    def value(self, value: Json) -> Json:
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        result = {key: self.value(item) for key, item in value.items()}
        calls = value.get("Fn::Transform")
        if calls is None:
            return result
        left = []
        for call in calls if isinstance(calls, list) else [calls]:
            included = self._included(call)
            if included is None:
                left.append(call)
            else:
                result = {**included, **result}
        del result["Fn::Transform"]
        return {**result, "Fn::Transform": left[0] if len(left) == 1 else left} if left else result

    def _included(self, call: Json) -> Mapping[str, Json] | None:
        if not isinstance(call, Mapping) or call.get("Name") != INCLUDE:
            return None
        parameters = call.get("Parameters")
        location = parameters.get("Location") if isinstance(parameters, Mapping) else None
        if not isinstance(location, str) or "://" in location or Path(location).is_absolute():
            return None
        path = self._folder / location
        self._read += 1
        if not path.is_file() or self._read > _MAX_INCLUDES:
            return None
        value, _ = parse_document(read_text(path), str(path))
        included = self.value(value)
        return included if isinstance(included, Mapping) else None
