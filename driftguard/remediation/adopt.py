"""ADOPT: what AWS has, written into the template that its author keeps.

The text is cut where a value stands, and nothing else of it changes: comments, order and layout stay.  After
the last cut the text is parsed again and must hold exactly the values that were asked for.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from driftguard.model import DeclaredResource, Json, PropertyDifference
from driftguard.remediation.spots import Entry, Spot, comments, parse
from driftguard.remediation.values import ABSENT
from driftguard.schema import split_pointer

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One value of a template.  ``path`` leads through the source, ``value`` is what shall stand there.

    `ABSENT` takes it away; ``append`` adds ``value`` to the list at ``path``.
    """

    path: Path
    value: Json
    append: bool = False

    @classmethod
    def of(cls, declared: DeclaredResource, place: str, value: Json, before: Json = None) -> Edit:
        """The edit of a declared property; a new member of a list is appended."""
        source = source_path(declared, place)
        if before is ABSENT and source and isinstance(source[-1], int):
            return cls(path=source[:-1], value=value, append=True)
        return cls(path=source, value=value)

    def to_json(self) -> dict[str, Json]:
        if self.value is ABSENT:
            return {"path": list(self.path), "remove": True}
        return {"path": list(self.path), "value": self.value, "append": self.append}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Edit:
        value = ABSENT if row.get("remove") else row["value"]
        return cls(path=tuple(row["path"]), value=value, append=bool(row.get("append")))


def source_path(declared: DeclaredResource, place: str) -> Path:
    """Where a resolved property stands in the template's source."""
    source = getattr(declared.locations, "source", None)
    if source is not None:
        found: Path = source(place)
        return found
    steps = tuple(int(part) if part.isdigit() else part for part in split_pointer(place))
    return ("Resources", declared.logical_id, "Properties", *steps)


def edits_of(
    declared: DeclaredResource, differences: Sequence[PropertyDifference], live: Mapping[str, Json]
) -> list[Edit]:
    """The edits that make the template say what AWS has."""
    edits = []
    for difference in differences:
        actual = ABSENT if difference.type == "REMOVE" else difference.actual
        before = ABSENT if difference.type == "ADD" else difference.expected
        edits.append(Edit.of(declared, difference.path, actual, before))
    return edits


def patch_template(text: str, edits: Sequence[Edit]) -> str:
    """The template after all edits.  Raises `ValueError`: not parseable, a shared anchor, no such place, or a
    result that does not parse to exactly the values wanted."""
    wanted = parse(text).plain()
    for edit in edits:
        if not _known(wanted, edit.path):
            raise ValueError(
                f"a transform such as SAM makes {edit.path[1]} out of another resource, and only the author knows "
                "which property of that one leads to it"
            )
    # Members of a list are taken away from the end, so that the places of the others stay true.
    for edit in sorted(edits, key=_order):
        wanted = _expected(wanted, edit)
        text = _apply(text, edit)
    if parse(text).plain() != wanted:
        raise ValueError("the patched text does not parse to the wanted values")
    return text


def references(text: str, logical_id: str) -> list[str]:
    """Where else a template names a resource, as ``Resources/Alarm`` or ``Outputs/Topic``.

    Raises `ValueError` when the text is no template.
    """
    template = parse(text).plain()
    found = []
    for section, members in template.items() if isinstance(template, dict) else ():
        for name, member in members.items() if isinstance(members, dict) else ():
            if (section, name) != ("Resources", logical_id) and _refers(member, logical_id):
                found.append(f"{section}/{name}")
    return found


def _refers(value: Json, name: str) -> bool:
    if isinstance(value, list):
        return any(_refers(member, name) for member in value)
    if not isinstance(value, Mapping):
        return False
    return any(_names(key, inner, name) or _refers(inner, name) for key, inner in value.items())


def _names(function: str, given: Json, name: str) -> bool:
    members = given if isinstance(given, list) else [given]
    first = str(members[0]) if members else ""
    if function in ("Ref", "DependsOn"):
        return name in members
    if function == "Fn::GetAtt":
        return first.split(".")[0] == name
    return function == "Fn::Sub" and re.search(rf"\$\{{{re.escape(name)}[.}}]", first) is not None


def diff(before: str, after: str, file: str) -> str:
    """A unified diff, as ``git apply`` takes it."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{file}", f"b/{file}"
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _order(edit: Edit) -> tuple[bool, tuple[tuple[int, int, str], ...]]:
    removes = edit.value is ABSENT
    key = tuple((1, -step, "") if isinstance(step, int) else (0, 0, step) for step in edit.path)
    return removes, key if removes else ()


def _known(template: Json, path: Path) -> bool:
    """Whether the resource stands in this text at all: a macro may have made it."""
    if path[:1] != ("Resources",):
        return True
    resources = template.get("Resources") if isinstance(template, dict) else None
    found = resources.get(path[1]) if isinstance(resources, dict) and len(path) > 1 else None
    return isinstance(found, dict) and "::" in str(found.get("Type"))


def _expected(value: Json, edit: Edit) -> Json:
    return _put(value, edit.path, edit)


def _put(value: Json, path: Path, edit: Edit) -> Json:
    if not path:
        return [*value, edit.value] if edit.append else edit.value
    step, rest = path[0], path[1:]
    if isinstance(value, list) and isinstance(step, int):
        if not rest and edit.value is ABSENT and not edit.append:
            return [*value[:step], *value[step + 1 :]]
        if step >= len(value):
            raise ValueError(f"the template has no member {step} there")
        return [*value[:step], _put(value[step], rest, edit), *value[step + 1 :]]
    if not isinstance(value, dict):
        raise ValueError(f"the template has a function or a value where {step} should be")
    if not rest and edit.value is ABSENT and not edit.append:
        return {name: item for name, item in value.items() if name != step}
    below = value.get(str(step), [] if edit.append and not rest else {})
    return {**value, str(step): _put(below, rest, edit)}


def _apply(text: str, edit: Edit) -> str:
    root = parse(text)
    spot, depth, parent, entry = root, 0, root, None
    for step in edit.path:
        child = spot.child(step)
        if child is None:
            break
        if not spot.function:
            parent, entry = spot, next((one for one in spot.entries if one.value is child), None)
        spot, depth = child, depth + 1
        if spot.shared:
            raise ValueError("the value is shared by a YAML anchor")
    rest = edit.path[depth:]
    cutter = _Cutter(text)
    if edit.value is ABSENT and not edit.append:
        if rest:
            return text
        if entry is None:
            raise ValueError("the place is not known")
        return cutter.remove(parent, entry)
    value = [edit.value] if edit.append and rest else edit.value
    if not rest:
        return cutter.insert(spot, "", value) if edit.append else cutter.change(spot, value)
    if spot.kind == "scalar" and spot.value is None:
        return cutter.replace(spot, _nest(rest, value))
    if spot.kind != "map" or spot.function:
        raise ValueError(f"the template has a function or a value where {rest[0]} should be")
    return cutter.insert(spot, str(rest[0]), _nest(rest[1:], value))


def _nest(path: Path, value: Json) -> Json:
    for step in reversed(path):
        value = {str(step): value}
    return value


class _Cutter:
    """Cuts in one text.  Every method answers the whole new text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._json = text.lstrip("\ufeff \t\r\n").startswith("{")
        self._newline = "\r\n" if "\r\n" in text else "\n"

    def change(self, spot: Spot, value: Json) -> str:
        """Make ``spot`` hold ``value``, touching only what differs."""
        if spot.plain() == value:
            return self._text
        if (
            not spot.function
            and not spot.flow
            and spot.kind == "map"
            and isinstance(value, Mapping)
            and value
        ):
            return self._change_map(spot, value)
        return self.replace(spot, value)

    def _change_map(self, spot: Spot, value: Mapping[str, Json]) -> str:
        text = self._text
        for entry in reversed(spot.entries):
            if entry.key in value:
                text = _Cutter(text).change(entry.value, value[entry.key])
        names = [entry.key for entry in spot.entries]
        for name in value:
            if name not in names:
                text = _Cutter(text).insert(_again(text, spot), name, value[name])
        for name in reversed(names):
            if name not in value:
                now = _again(text, spot)
                text = _Cutter(text).remove(now, next(one for one in now.entries if one.key == name))
        return text

    def replace(self, spot: Spot, value: Json) -> str:
        """Another value in the place of ``spot``."""
        return self._cut(spot.start, spot.end, self._rendered(spot, value), spot.column)

    def insert(self, spot: Spot, key: str, value: Json) -> str:
        """A new last member."""
        if spot.shared or spot.function:
            raise ValueError("the value is shared by a YAML anchor or made by a function")
        if not spot.flow and not spot.entries:
            raise ValueError("the place is not known")
        if spot.flow:
            return self._insert_flow(spot, key, value)
        first = spot.entries[0]
        column = first.start - (self._text.rfind("\n", 0, first.start) + 1)
        head = f"{_scalar(key)}:" if spot.kind == "map" else "-"
        body = self._block(value, column, "- " if spot.kind == "list" else "")
        at = _line_end(self._text, spot.end)
        return self._text[:at] + self._newline + " " * column + head + body + self._text[at:]

    def _insert_flow(self, spot: Spot, key: str, value: Json) -> str:
        shown = json.dumps(value, ensure_ascii=False)
        piece = f"{json.dumps(key, ensure_ascii=False)}: {shown}" if spot.kind == "map" else shown
        if not spot.entries:
            return self._text[: spot.start] + self._flow_wrap(spot, piece) + self._text[spot.end :]
        last = spot.entries[-1]
        gap = self._text[spot.start + 1 : spot.entries[0].start]
        lead = gap if "\n" in gap and "#" not in gap else " "
        if "\n" in lead and self._json:
            step = lead.rsplit("\n", 1)[-1]
            shown = json.dumps(value, ensure_ascii=False, indent=2).replace("\n", self._newline + step)
            piece = f"{json.dumps(key, ensure_ascii=False)}: {shown}" if spot.kind == "map" else shown
        return self._text[: last.value.end] + "," + lead + piece + self._text[last.value.end :]

    def _flow_wrap(self, spot: Spot, piece: str) -> str:
        return "{" + piece + "}" if spot.kind == "map" else "[" + piece + "]"

    def remove(self, parent: Spot, entry: Entry) -> str:
        """Take a member away, its separator with it; comments stay."""
        index = next(i for i, one in enumerate(parent.entries) if one is entry)
        if len(parent.entries) == 1:
            return self.replace(parent, {} if parent.kind == "map" else [])
        if index + 1 < len(parent.entries):
            return self._cut(entry.start, parent.entries[index + 1].start, "", entry.start, before=True)
        before = parent.entries[index - 1].value
        start = before.end if parent.flow else max(before.end, parent.entries[index - 1].start)
        if not parent.flow:
            start = _line_end(self._text, start)
        return self._cut(start, max(entry.value.end, entry.start + 1), "", entry.start)

    def _cut(self, start: int, end: int, new: str, column_of: int, *, before: bool = False) -> str:
        kept = [] if self._json else [said for at, said in comments(self._text) if start <= at < end]
        line = self._text.rfind("\n", 0, start) + 1
        indent = " " * (len(self._text[line:start]) - len(self._text[line:start].lstrip(" ")))
        if kept and before:
            # What follows takes the place of what goes; a comment goes above it, on a line of its own.
            at = line
            above = "".join(f"{indent}{said}{self._newline}" for said in kept)
            return self._text[:at] + above + self._text[at:start] + new + self._text[end:]
        after = "".join(f"{self._newline}{indent}{said}" for said in kept)
        return self._text[:start] + new + after + self._text[end:]

    def _rendered(self, spot: Spot, value: Json) -> str:
        if spot.flow:
            shown = json.dumps(value, ensure_ascii=False)
            if self._json or isinstance(value, dict | list):
                return shown
            return _scalar(value, spot.quote, flow=True)
        if not isinstance(value, dict | list) or not value:
            return _scalar(value, spot.quote) if not isinstance(value, dict | list) else json.dumps(value)
        line = self._text.rfind("\n", 0, spot.start) + 1
        inline = self._text[line : spot.start].strip()
        if spot.kind == "scalar" and inline and not inline.endswith("-"):
            indent = len(self._text[line:]) - len(self._text[line:].lstrip(" -")) + 2
            return self._newline + " " * indent + self._dumped(value, indent)
        return self._dumped(value, spot.column)

    def _block(self, value: Json, column: int, prefix: str) -> str:
        """What stands after a new key or dash in ``column``."""
        if not isinstance(value, dict | list) or not value:
            shown = _scalar(value) if not isinstance(value, dict | list) else json.dumps(value)
            return f" {shown}"
        inner = column + 2
        if prefix:
            return " " + self._dumped(value, inner)
        return self._newline + " " * inner + self._dumped(value, inner)

    def _dumped(self, value: Json, indent: int) -> str:
        text = yaml.dump(
            value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000, default_flow_style=False
        )
        return text.rstrip("\n").replace("\n", self._newline + " " * indent)


class _Dumper(yaml.SafeDumper):
    """Lists are indented below their key, and nothing is an alias."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _str(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    # A text of several lines would be folded over lines whose indentation is not ours to choose.
    style = '"' if "\n" in value or value != value.strip() else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _str)


def _scalar(value: Json, quote: str = "", *, flow: bool = False) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if quote == '"' or "\n" in value or (flow and any(mark in value for mark in ",[]{}:")):
        return json.dumps(value, ensure_ascii=False)
    if quote == "'":
        return "'" + value.replace("'", "''") + "'"
    text: str = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...").removesuffix("...").rstrip("\n")


def _again(text: str, spot: Spot) -> Spot:
    """The same place after cuts behind its start."""
    found = [parse(text)]
    while found:
        one = found.pop()
        if one.start == spot.start and one.kind == spot.kind:
            return one
        found.extend(entry.value for entry in one.entries)
    raise ValueError("the place is not known any more")


def _line_end(text: str, at: int) -> int:
    """The end of the line, if nothing but a comment stands between; a new line goes behind that comment."""
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    rest = text[at:end].strip()
    return end - (1 if text[:end].endswith("\r") else 0) if not rest or rest.startswith("#") else at
