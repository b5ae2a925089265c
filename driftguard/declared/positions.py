"""Where each value of a template stands: file, line and column, found only when somebody asks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import yaml

from driftguard.declared.json_reader import LineIndex, Spot, scan
from driftguard.declared.yaml_reader import function_name
from driftguard.model import Json, Location

Path = tuple[str | int, ...]
_WHOLE = re.compile(r"\$\{([A-Za-z0-9]+)\}")
_MERGE = "tag:yaml.org,2002:merge"


class Positions:
    """The positions of one text.  A value that an object holds stands at its key, an item at its start."""

    def __init__(self, file: str, text: str, root: yaml.Node | None) -> None:
        self.file = file
        self._text = text
        self._root = root

    def find(self, path: Sequence[str | int]) -> Location:
        """The place of the value at ``path``, or of the nearest thing around it that the text holds."""
        if self._root is not None:
            return self._in_yaml(self._root, path)
        return self._in_json(path)

    def holds(self, path: Sequence[str | int]) -> bool:
        """Whether the text holds something at exactly this path."""
        if self._root is None:
            spot: Spot | None = self._scan
            for step in path:
                spot = _json_child(spot, step) if spot is not None else None
            return spot is not None
        node: yaml.Node | None = self._root
        for step in path:
            found = _yaml_child(node, step) if node is not None else None
            node = found[1] if found else None
        return node is not None

    @cached_property
    def _scan(self) -> Spot:
        return scan(self._text)

    @cached_property
    def _lines(self) -> LineIndex:
        return LineIndex(self._text)

    def _in_yaml(self, node: yaml.Node, path: Sequence[str | int]) -> Location:
        mark = node.start_mark
        for step in path:
            found = _yaml_child(node, step)
            if found is None:
                break
            mark, node = found[0].start_mark, found[1]
        return Location(self.file, mark.line + 1, mark.column + 1)

    def _in_json(self, path: Sequence[str | int]) -> Location:
        spot = self._scan
        for step in path:
            child = _json_child(spot, step)
            if child is None:
                break
            spot = child
        return Location(self.file, *self._lines.place(spot.offset))


def _json_child(spot: Spot, step: str | int) -> Spot | None:
    if spot.items:
        index = _index(step)
        return spot.items[index] if index is not None and index < len(spot.items) else None
    return spot.fields.get(str(step))


def _yaml_child(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """The node that marks the child (its key, or itself in a list) and the child."""
    if not node.tag.startswith("tag:") and function_name(node.tag) == step:
        return node, _Untagged.of(node)
    if isinstance(node, yaml.SequenceNode):
        index = _index(step)
        return (node.value[index],) * 2 if index is not None and index < len(node.value) else None
    if not isinstance(node, yaml.MappingNode):
        return None
    merged: list[yaml.Node] = []
    for key, value in node.value:
        if key.tag == _MERGE:
            merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
        elif key.value == str(step):
            return key, value
    return next((found for part in merged if (found := _yaml_child(part, step))), None)


class _Untagged:
    """A node without its short form, so that the path may step into the function's argument."""

    @staticmethod
    def of(node: yaml.Node) -> yaml.Node:
        return type(node)("tag:plain", node.value, node.start_mark, node.end_mark)


def _index(step: str | int) -> int | None:
    if isinstance(step, int):
        return step
    return int(step) if step.isdecimal() else None


class Locations(Mapping[str, Location]):
    """The locations of one resource's properties, looked up by JSON pointer (``""`` is the resource).

    ``properties`` are the resolved ones, ``base`` the path of the resource in the template, and
    ``detours`` says for a resolved path which source path it came from, where a function or a removed
    list item made the two differ.  A pointer to something that is not there (a property that should be)
    answers with the nearest thing around it.
    """

    __slots__ = ("_base", "_detours", "_document", "_positions", "_properties", "_section")

    def __init__(
        self,
        positions: Positions,
        base: Path,
        properties: Mapping[str, Json],
        detours: Mapping[Path, Path],
        section: str = "Properties",
        document: Mapping[str, Json] | None = None,
    ) -> None:
        self._document = document or {}
        self._positions = positions
        self._base = base
        self._properties = properties
        self._detours = detours
        self._section = section

    def __getitem__(self, pointer: str) -> Location:
        steps = split_pointer(pointer)
        source = (*self._base, self._section, *source_of(steps, self._detours)) if steps else self._base
        return self._positions.find(source)

    def source(self, pointer: str) -> Path:
        """The path in the template, from its root, to where the value at ``pointer`` is written."""
        return (*self._base, self._section, *source_of(split_pointer(pointer), self._detours))

    def parameter(self, pointer: str) -> str:
        """The template parameter that all of the value at ``pointer`` comes from, ``""`` if it is not one."""
        declared = self._document.get("Parameters")
        node: Json = self._document
        for step in self.source(pointer):
            held = step in node if isinstance(node, Mapping) else isinstance(step, int) and step < _size(node)
            if not held:
                break  # inside what a function made, or not there at all
            node = node[step]
        name = _reference(node)
        return name if isinstance(declared, Mapping) and name in declared else ""

    def __iter__(self) -> Iterator[str]:
        yield ""
        yield from _pointers(self._properties, "")

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _size(node: Json) -> int:
    return len(node) if isinstance(node, list) else 0


def _reference(node: Json) -> str:
    """``Name`` of a node that is ``{"Ref": "Name"}`` or ``{"Fn::Sub": "${Name}"}``."""
    if not isinstance(node, Mapping) or len(node) != 1:
        return ""
    whole = _WHOLE.fullmatch(str(node.get("Fn::Sub", "")))
    name = whole[1] if whole else node.get("Ref")
    return name if isinstance(name, str) else ""


def source_of(path: Path, detours: Mapping[Path, Path]) -> Path:
    """The path in the source of a resolved ``path``: the longest detour, and the rest as it is."""
    if detours:
        for length in range(len(path), 0, -1):
            source = detours.get(path[:length])
            if source is not None:
                return source + path[length:]
    return path


def split_pointer(pointer: str) -> Path:
    """The steps of a JSON pointer (RFC 6901); list indices become integers."""
    if not pointer:
        return ()
    steps = (step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/"))
    return tuple(int(step) if step.isdecimal() else step for step in steps)


def join_pointer(path: Sequence[str | int]) -> str:
    """The JSON pointer (RFC 6901) of ``path``."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _pointers(value: Json, prefix: str) -> Iterator[str]:
    items: Sequence[tuple[str | int, Json]] = ()
    if isinstance(value, Mapping):
        items = tuple(value.items())
    elif isinstance(value, list):
        items = tuple(enumerate(value))
    for key, child in items:
        pointer = prefix + join_pointer((key,))
        yield pointer
        yield from _pointers(child, pointer)
