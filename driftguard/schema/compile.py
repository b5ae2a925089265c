"""One registry schema (a JSON document of the CloudFormation registry) -> the small form the index holds.

The registry's own words are described at
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html .  The small form is
one JSON object a type: a table of nodes (equal nodes stand in it once, recursion is an index that points
back), and the type's pointers, written ``A/*/B`` with ``*`` for any list member or map value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

_TYPE_LETTERS = {
    "string": "s",
    "integer": "i",
    "number": "n",
    "boolean": "b",
    "array": "a",
    "object": "o",
    "null": "z",
}
_POINTERS = {
    "readOnlyProperties": "ro",
    "writeOnlyProperties": "wo",
    "createOnlyProperties": "co",
    "conditionalCreateOnlyProperties": "cc",
    "deprecatedProperties": "dp",
    "primaryIdentifier": "pi",
}
MAX_ENUM_VALUES = 64
"""An enumeration that is longer (instance types, say) is kept as a mere flag."""

Fragment = Mapping[str, Any]


def compile_type(raw: Fragment) -> dict[str, Any]:
    """The small form of the registry schema ``raw``.  Raises `KeyError` when it has no ``typeName``."""
    small: dict[str, Any] = {"t": raw["typeName"], "n": _merge_equal(_Nodes(raw).table)}
    for keyword, short in _POINTERS.items():
        pointers = [segments(pointer) for pointer in raw.get(keyword) or ()]
        if pointers:
            small[short] = pointers if keyword == "primaryIdentifier" else sorted(pointers)
    additional = [
        [segments(pointer) for pointer in names] for names in raw.get("additionalIdentifiers") or ()
    ]
    if additional:
        small["ai"] = additional
    transforms = {
        segments(pointer): [alternative.strip() for alternative in expression.split(" $OR ")]
        for pointer, expression in (raw.get("propertyTransform") or {}).items()
        if isinstance(expression, str)
    }
    if transforms:
        small["pt"] = dict(sorted(transforms.items()))
    small.update(_tagging(raw))
    handlers = {
        name: sorted(set((handler or {}).get("permissions") or ()))
        for name, handler in sorted((raw.get("handlers") or {}).items())
    }
    if handlers:
        small["h"] = handlers
    return small


def segments(pointer: str) -> str:
    """``/properties/A/items/B`` -> ``A/*/B``.

    AWS writes both forms, sometimes without the first slash, sometimes with ``properties`` in between.
    """
    parts = [part for part in pointer.split("/") if part]
    if parts and parts[0] == "properties":
        parts = parts[1:]
    return "/".join("*" if part == "items" else part for part in parts if part != "properties")


def _tagging(raw: Fragment) -> dict[str, Any]:
    tagging = raw.get("tagging")
    if isinstance(tagging, Mapping):
        taggable = tagging.get("taggable", True) is not False
        # The registry's default for tagProperty is /properties/Tags.
        name = segments(tagging.get("tagProperty") or "/properties/Tags")
    else:
        taggable, name = raw.get("taggable", True) is not False, "Tags"
    if taggable and name.split("/")[0] in raw.get("properties", {}):
        return {"tp": name}
    return {}


class _Nodes:
    """The node table: number 0 is the resource itself."""

    def __init__(self, root: Fragment) -> None:
        self._root = root
        self._numbers: dict[tuple[int, ...], int] = {}
        self._kept: list[list[Fragment]] = []  # keeps fragments alive, so that id() stays theirs
        self.table: list[dict[str, Any]] = []
        self._number([root])

    def _number(self, fragments: list[Fragment]) -> int:
        whole, parts = self._expand(fragments)
        key = tuple(sorted({id(part) for part in parts}))
        if key in self._numbers:
            return self._numbers[key]
        number = self._numbers[key] = len(self.table)
        node: dict[str, Any] = {}
        self.table.append(node)
        self._kept.append(parts)
        self._fill(node, whole, parts)
        return number

    def _expand(self, fragments: Iterable[Any]) -> tuple[list[Fragment], list[Fragment]]:
        """All fragments that speak of one value, and those of them that always hold (no alternatives)."""
        certain: list[Fragment] = []
        every: list[Fragment] = []
        seen: set[int] = set()
        todo: list[tuple[Any, bool]] = [(fragment, True) for fragment in reversed(list(fragments))]
        while todo:
            fragment, holds = todo.pop()
            if not isinstance(fragment, Mapping) or id(fragment) in seen:
                continue
            seen.add(id(fragment))
            every.append(fragment)
            if holds:
                certain.append(fragment)
            for word in ("oneOf", "anyOf"):
                todo += [(part, False) for part in fragment.get(word) or ()]
            todo += [(part, holds) for part in fragment.get("allOf") or ()]
            if isinstance(fragment.get("$ref"), str):
                todo.append((self._resolve(fragment["$ref"]), holds))
        return certain, every

    def _resolve(self, reference: str) -> Any:
        target: Any = self._root
        for part in reference.lstrip("#/").split("/"):
            target = target.get(part) if isinstance(target, Mapping) else None
        return target

    def _fill(self, node: dict[str, Any], certain: list[Fragment], parts: list[Fragment]) -> None:
        types = {name for part in parts for name in _listed(part.get("type"))}
        if types:
            node["t"] = "".join(sorted(_TYPE_LETTERS[name] for name in types if name in _TYPE_LETTERS))
        _fill_keywords(node, certain, parts)
        properties: dict[str, list[Fragment]] = {}
        values: list[Fragment] = []
        items: list[Fragment] = []
        is_open = False
        for part in parts:
            for name, fragment in (part.get("properties") or {}).items():
                properties.setdefault(name, []).append(fragment)
            values += list((part.get("patternProperties") or {}).values())
            more = part.get("additionalProperties")
            is_open = is_open or more is True
            if isinstance(more, Mapping):
                values.append(more)
            items += _listed(part.get("items"))
            items += part.get("prefixItems") or ()
        if properties:
            node["p"] = {name: self._number(found) for name, found in sorted(properties.items())}
        if values:
            node["v"] = self._number(values)
        if items:
            node["i"] = self._number(items)
        if is_open or values or ("object" in types and not properties):
            node["f"] = 1


def _fill_keywords(node: dict[str, Any], certain: list[Fragment], parts: list[Fragment]) -> None:
    for word, short in (("insertionOrder", "o"), ("uniqueItems", "u")):
        for part in parts:
            if isinstance(part.get(word), bool):
                node[short] = int(part[word])
                break
    if any(part.get("arrayType") == "AttributeList" for part in parts):
        node["l"] = 1
    for part in certain:
        if part.get("default") is not None:
            node["d"] = part["default"]
            break
    _fill_enumeration(node, parts)
    for word, short in (("pattern", "m"), ("format", "h")):
        texts = {part[word] for part in certain if isinstance(part.get(word), str)}
        if len(texts) == 1:
            node[short] = texts.pop()
    required = sorted({name for part in certain for name in part.get("required") or ()})
    if required:
        node["q"] = required
    references = sorted(
        {
            f"{reference['typeName']}#{segments(reference['propertyPath'])}"
            for part in parts
            if isinstance(reference := part.get("relationshipRef"), Mapping)
        }
    )
    if references:
        node["r"] = references


def _fill_enumeration(node: dict[str, Any], parts: list[Fragment]) -> None:
    values: list[Any] = []
    for part in parts:
        values += part.get("enum") or ()
        if part.get("enumCaseInsensitive"):
            values += part["enumCaseInsensitive"]
            node["c"] = 1
        if "const" in part:
            values.append(part["const"])
    distinct = sorted({json.dumps(value, sort_keys=True) for value in values})
    if distinct:
        node["e"] = [json.loads(value) for value in distinct] if len(distinct) <= MAX_ENUM_VALUES else 1


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _merge_equal(table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The table with equal nodes merged: refine classes by their children's classes until they stand."""
    plain = [
        json.dumps({k: v for k, v in node.items() if k not in ("p", "v", "i")}, sort_keys=True)
        for node in table
    ]
    classes = _classes(plain)
    while True:
        refined = _classes(
            [
                json.dumps([plain[number], classes[number], _children(node, classes)], sort_keys=True)
                for number, node in enumerate(table)
            ]
        )
        if max(refined) == max(classes):
            break
        classes = refined
    merged: dict[int, dict[str, Any]] = {}
    for number, node in enumerate(table):
        if classes[number] not in merged:
            merged[classes[number]] = {**node, **_children(node, classes)}
    return [merged[number] for number in range(len(merged))]


def _classes(labels: list[str]) -> list[int]:
    numbers: dict[str, int] = {}
    return [numbers.setdefault(label, len(numbers)) for label in labels]


def _children(node: Mapping[str, Any], classes: list[int]) -> dict[str, Any]:
    found: dict[str, Any] = {word: classes[node[word]] for word in ("v", "i") if word in node}
    if "p" in node:
        found["p"] = {name: classes[number] for name, number in node["p"].items()}
    return found
