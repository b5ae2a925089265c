"""The tables under ``compare/data``: facts about single properties that no schema tells.

``properties.jsonl`` holds one row a fact: the rule, the resource type (``*`` inside stands for anything), the
path (``A/*/B``; a first ``**`` for any depth) and where it is documented.  ``defaults.jsonl`` holds documented
defaults.  Both are read once, on first use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import orjson

_DATA: Final = Path(__file__).parent / "data"


@lru_cache(maxsize=1)
def _properties() -> Mapping[str, list[tuple[re.Pattern[str], re.Pattern[str], Mapping[str, Any]]]]:
    rows: dict[str, list[tuple[re.Pattern[str], re.Pattern[str], Mapping[str, Any]]]] = {}
    for line in (_DATA / "properties.jsonl").read_bytes().splitlines():
        row = orjson.loads(line)
        rows.setdefault(row["rule"], []).append((_type_glob(row["type"]), _path_glob(row["path"]), row))
    return rows


@lru_cache(maxsize=65536)
def _rows(rule: str, type_name: str) -> tuple[tuple[re.Pattern[str], Mapping[str, Any]], ...]:
    return tuple((path, row) for kind, path, row in _properties().get(rule, ()) if kind.fullmatch(type_name))


@lru_cache(maxsize=65536)
def row(rule: str, type_name: str, path: tuple[str, ...]) -> Mapping[str, Any] | None:
    """The row of ``rule`` for the place, if the tables have one."""
    rows = _rows(rule, type_name)
    if not rows:
        return None
    text = "/".join(path)
    return next((found for pattern, found in rows if pattern.fullmatch(text)), None)


def listed(rule: str, type_name: str, path: tuple[str, ...]) -> bool:
    """Whether the tables list the place for ``rule``."""
    return row(rule, type_name, path) is not None


@lru_cache(maxsize=1)
def _defaults() -> Mapping[str, Mapping[str, list[Any]]]:
    found: dict[str, dict[str, list[Any]]] = {}
    for line in (_DATA / "defaults.jsonl").read_bytes().splitlines():
        entry = orjson.loads(line)
        found.setdefault(entry["type"], {}).setdefault(entry["path"], []).append(entry["value"])
    return found


@lru_cache(maxsize=65536)
def defaults(type_name: str, path: tuple[str, ...]) -> tuple[Any, ...]:
    """The documented defaults of a property: several when they depend on other choices.

    Rows of the type ``*`` hold for a property of that name in every type, rows of a path ``**/NAME`` at any depth.
    """
    known = _defaults()
    own = known.get(type_name, {})
    name = path[-1] if path else ""
    return (*own.get("/".join(path), []), *own.get(f"**/{name}", []), *known.get("*", {}).get(name, []))


def _type_glob(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*"))


def _path_glob(text: str) -> re.Pattern[str]:
    deep = text.startswith("**/")
    body = re.escape(text.removeprefix("**/")).replace(r"\*", "[^/]*")
    return re.compile(f"(?:.*/)?{body}" if deep else body)
