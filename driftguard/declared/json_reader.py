"""JSON templates: the C parser for the value, and a scan for the positions only when somebody asks."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass, field

from driftguard.errors import TemplateError, Where
from driftguard.model import Json


class _DuplicateKeyError(ValueError):
    """Carries the key that stands twice in one object."""


def read_json(text: str, file: str) -> Json:
    """The value of a JSON document.  Raises `TemplateError` with file, line and column."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except _DuplicateKeyError as error:
        offset = _duplicate_offset(text)
        where = Where(file, *line_and_column(text, offset)) if offset is not None else Where(file)
        raise TemplateError(f"the key {error.args[0]!r} stands here twice.", where=where) from None
    except json.JSONDecodeError as error:
        message = f"this is not JSON: {error.msg}."
        raise TemplateError(message, where=Where(file, error.lineno, error.colno)) from None
    except ValueError as error:
        raise TemplateError(f"this is not JSON: {error}.", where=Where(file, 1)) from None
    except RecursionError:
        raise TemplateError("values are nested too deep.", where=Where(file, 1)) from None


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of a character offset."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKeyError(key)
            seen.add(key)
    return result


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"{name} is not a JSON number")


@dataclass(slots=True)
class Spot:
    """Where a value begins, and where the values inside it begin (an object's at their keys)."""

    offset: int
    fields: dict[str, Spot] = field(default_factory=dict)
    items: list[Spot] = field(default_factory=list)


_TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|([{}\[\],:])|([^\s{}\[\],:"]+))', re.DOTALL)


def scan(text: str) -> Spot:
    """The tree of positions of a JSON text that `read_json` accepted."""
    root = Spot(0)
    stack: list[Spot] = [root]
    key: tuple[str, int] | None = None
    pending: tuple[str, int] | None = None
    for match in _TOKEN.finditer(text):
        string, mark, _ = match.groups()
        if mark in (",", ":"):
            if mark == ":":
                key, pending = pending, None
            continue
        if mark in ("}", "]"):
            stack.pop()
            continue
        offset = match.start(match.lastindex or 0)
        top = stack[-1]
        if string is not None and key is None and isinstance(top.fields, _ObjectFields):
            pending = (_text(string), offset)
            continue
        spot = Spot(key[1] if key else offset)
        if key is not None:
            top.fields.setdefault(key[0], spot)
            key = None
        else:
            top.items.append(spot)
        if mark is not None:
            # The bracket decides what the container expects; the offset stays the key's for the reader.
            spot.fields = _ObjectFields() if mark == "{" else {}
            stack.append(spot)
    return root.items[0] if root.items else root


def _text(quoted: str) -> str:
    if "\\" not in quoted:
        return quoted[1:-1]
    value: str = json.loads(quoted, strict=False)
    return value


class _ObjectFields(dict[str, Spot]):
    """Marks a spot whose brackets are curly."""


def _duplicate_offset(text: str) -> int | None:
    """Where the first key that stands twice in its object stands the second time."""
    seen: list[set[str] | None] = [None]
    last: tuple[str, int] | None = None
    for match in _TOKEN.finditer(text):
        string, mark, _ = match.groups()
        if string is not None:
            last = (_text(string), match.start(1))
        elif mark in ("{", "["):
            seen.append(set() if mark == "{" else None)
        elif mark in ("}", "]"):
            seen.pop()
        elif mark == ":" and last is not None:
            keys = seen[-1]
            if keys is not None:
                if last[0] in keys:
                    return last[1]
                keys.add(last[0])
    return None


class LineIndex:
    """Offsets to lines, for many questions about one text."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1
