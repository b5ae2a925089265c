"""Template text, YAML or JSON, as a tree of places: where each value begins and ends, character by character.

A template is patched by cutting its text, so that everything around the cut, comments and layout included,
stays as its author wrote it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from json import scanner as _scanner
from typing import Any

import yaml

from driftguard.model import Json

_JSON_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = json.decoder.py_scanstring  # type: ignore[attr-defined]  # typeshed leaves the pure form out
_LONG = {"Ref": "Ref", "Condition": "Condition"}


@dataclass(slots=True)
class Entry:
    """One member of an object or list.  ``start`` is where its key or dash stands."""

    start: int
    value: Spot
    key: str = ""


@dataclass(slots=True)
class Spot:
    """One value: ``kind`` is ``map``, ``list`` or ``scalar``; ``function`` its short-form intrinsic, if any."""

    kind: str
    start: int
    end: int
    column: int
    flow: bool
    value: Json = None
    function: str = ""
    quote: str = ""
    shared: bool = False
    entries: list[Entry] = field(default_factory=list)

    def plain(self) -> Json:
        """The value, intrinsics in their long form."""
        inner: Json
        if self.kind == "map":
            inner = {entry.key: entry.value.plain() for entry in self.entries}
        elif self.kind == "list":
            inner = [entry.value.plain() for entry in self.entries]
        else:
            inner = self.value
        if not self.function:
            return inner
        if self.function == "Fn::GetAtt" and isinstance(inner, str):
            inner = inner.split(".", 1)
        return {self.function: inner}

    def child(self, step: str | int) -> Spot | None:
        """The member at one step of a path; a function's name steps into a short form."""
        if self.function:
            if step != self.function:
                return None
            return Spot(
                self.kind, self.start, self.end, self.column, self.flow, self.value, "", self.quote,
                self.shared, self.entries,
            )  # fmt: skip
        if self.kind == "map":
            return next((one.value for one in self.entries if one.key == str(step)), None)
        if self.kind == "list" and str(step).isdigit() and int(step) < len(self.entries):
            return self.entries[int(step)].value
        return None


def parse(text: str) -> Spot:
    """The tree of a template.  Raises `ValueError` when the text is neither JSON nor YAML."""
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        try:
            return _json(text)
        except (ValueError, IndexError):
            pass  # YAML in flow style
    return _yaml(text)


# -- JSON


def _json(text: str) -> Spot:
    start = _space(text, 1 if text.startswith("\ufeff") else 0)
    spot, end = _json_value(text, start)
    if _space(text, end) != len(text):
        raise ValueError("there is something after the JSON value")
    return spot


def _space(text: str, at: int) -> int:
    found = _JSON_SPACE.match(text, at)
    assert found is not None
    return found.end()


def _json_value(text: str, at: int) -> tuple[Spot, int]:
    if text[at] not in "{[":
        value, end = _scalar(text, at)
        return Spot("scalar", at, end, _column(text, at), True, value, quote='"'), end
    spot = Spot("map" if text[at] == "{" else "list", at, at, _column(text, at), True, quote='"')
    close = "}" if text[at] == "{" else "]"
    here = _space(text, at + 1)
    while text[here] != close:
        start, key = here, ""
        if spot.kind == "map":
            if text[here] != '"':
                raise ValueError("a key is no string")
            key, here = _STRING(text, here + 1, False)
            here = _space(text, here)
            if text[here] != ":":
                raise ValueError("a key has no value")
            here = _space(text, here + 1)
        value, here = _json_value(text, here)
        spot.entries.append(Entry(start, value, key))
        here = _space(text, here)
        if text[here] == ",":
            here = _space(text, here + 1)
        elif text[here] != close:
            raise ValueError("a comma is missing")
    spot.end = here + 1
    return spot, here + 1


_DECODER = json.JSONDecoder(strict=False)
_scan_once = _scanner.py_make_scanner(_DECODER)  # type: ignore[attr-defined]  # typeshed leaves the pure form out


def _scalar(text: str, at: int) -> tuple[Json, int]:
    try:
        value, end = _scan_once(text, at)
    except StopIteration:
        raise ValueError("a value is missing") from None
    return value, end


def _column(text: str, at: int) -> int:
    return at - (text.rfind("\n", 0, at) + 1)


# -- YAML


class _Loader(yaml.SafeLoader):
    """Safe YAML with the scalars of CloudFormation: dates are texts."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _yaml(text: str) -> Spot:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise ValueError("the template is empty")
        shared = {one for one, count in Counter(_visits(node)).items() if count > 1}
        return _yaml_spot(text, node, loader, shared, flow=False)
    except yaml.YAMLError as error:
        raise ValueError(f"the template is no YAML: {' '.join(str(error).split())[:160]}") from None
    finally:
        loader.dispose()


def _visits(node: yaml.Node) -> Iterator[int]:
    yield id(node)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _visits(key)
            yield from _visits(value)
    elif isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield from _visits(child)


def _yaml_spot(text: str, node: yaml.Node, loader: Any, shared: set[int], *, flow: bool) -> Spot:
    start = node.start_mark.index
    function = _function(node.tag)
    spot = Spot(
        "scalar", start, node.end_mark.index, node.start_mark.column, flow, None, function,
        shared=id(node) in shared,
    )  # fmt: skip
    if isinstance(node, yaml.ScalarNode):
        spot.quote = node.style or ""
        spot.end = start + len(text[start : node.end_mark.index].rstrip())
        spot.value = node.value if function else loader.construct_object(node)
        return spot
    spot.flow = flow or bool(getattr(node, "flow_style", False))
    spot.kind = "map" if isinstance(node, yaml.MappingNode) else "list"
    for member in node.value:
        key, child = member if isinstance(member, tuple) else (None, member)
        value = _yaml_spot(text, child, loader, shared, flow=spot.flow)
        if key is not None:
            spot.entries.append(Entry(key.start_mark.index, value, str(key.value)))
        else:
            at = value.start if spot.flow else text.rfind("-", 0, max(value.start, 1))
            spot.entries.append(Entry(at, value))
    if not spot.flow and spot.entries:
        last = spot.entries[-1]
        spot.end = max(last.value.end, last.start + 1)
        if spot.kind == "map" and last.value.end <= last.start + len(last.key):
            spot.end = text.index(":", last.start + len(last.key)) + 1
    return spot


def _function(tag: str) -> str:
    if tag.startswith("tag:") or not tag.startswith("!") or tag == "!":
        return ""
    name = tag[1:]
    return _LONG.get(name, f"Fn::{name}")


def comments(text: str) -> list[tuple[int, str]]:
    """Every comment of a YAML text with the place where it begins; a ``#`` inside a value is none."""
    found: list[tuple[int, str]] = []
    before = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        start, end = token.start_mark.index, token.end_mark.index
        found += _in_gap(text, before, start)
        if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
            head = text.find("\n", start)
            found += _in_gap(text, start, head if 0 <= head < end else end)
        before = max(before, end)
    found += _in_gap(text, before, len(text))
    return found


_COMMENT = re.compile(r"(?:^|(?<=\s))#[^\r\n]*", re.MULTILINE)


def _in_gap(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    for match in _COMMENT.finditer(text, start, end):
        yield match.start(), match[0].rstrip()
