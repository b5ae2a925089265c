"""YAML files that people write: read safely, bounded, with the line of every value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from driftguard.errors import PolicyError, Where
from driftguard.settings.nesting import too_deep

MAX_BYTES = 1_000_000
MAX_NODES = 50_000
MAX_DEPTH = 100
_DATES = "tag:yaml.org,2002:timestamp"


class _Loader(yaml.CSafeLoader):
    """Safe YAML in which dates stay texts."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _DATES]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True)
class Document:
    """One parsed file: ``data`` and where everything in it stands."""

    file: str
    data: Any
    _node: yaml.Node | None

    def where(self, *path: str | int) -> Where:
        """The place of the value at ``path``, or of the nearest thing above it that exists."""
        node = self._node
        line = node.start_mark.line + 1 if node is not None else 1
        for step in path:
            if isinstance(node, yaml.MappingNode):
                pair = next((one for one in node.value if one[0].value == str(step)), None)
                if pair is None:
                    break
                line, node = pair[0].start_mark.line + 1, pair[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = node.start_mark.line + 1
            else:
                break
        return Where(self.file, line)


def read(path: Path) -> Document:
    """Parse one file.  Raises `PolicyError` with file, line and fix: unreadable, too big, aliases, no YAML."""
    name = str(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PolicyError(
                "the file is larger than 1 MB.", where=Where(name), fix="Split it into one file per policy."
            )
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"the file cannot be read: {error}.", where=Where(name)) from None
    return parse(text, name)


def parse(text: str, name: str) -> Document:
    """`read` for a text that is already in memory."""
    if len(text) > MAX_BYTES:
        raise PolicyError("the text is larger than 1 MB.", where=Where(name), fix="Split it.")
    loader = _Loader(text)
    try:
        _refuse_depth(text, name)
        _refuse_aliases(text, name)
        node = loader.get_single_node()
        if node is None:
            raise PolicyError("the file is empty.", where=Where(name, 1), fix="Delete it or fill it in.")
        _refuse_twins(node, name)
        return Document(name, loader.construct_document(node), node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = Where(name, mark.line + 1, mark.column + 1) if mark else Where(name)
        raise PolicyError(
            f"the file is not YAML: {error.problem}.", where=where, fix="Mind the indentation and quotes."
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PolicyError(f"the file is not YAML: {str(error)[:120]}.", where=Where(name)) from None
    finally:
        loader.dispose()


def _refuse_depth(text: str, name: str) -> None:
    mark = too_deep(text, MAX_DEPTH)
    if mark is not None:
        where = Where(name, mark.line + 1, mark.column + 1)
        raise PolicyError("the file is nested too deeply.", where=where, fix="Write it flatter.")


def _refuse_aliases(text: str, name: str) -> None:
    if "*" not in text or "&" not in text:
        return
    for token in yaml.scan(text, Loader=yaml.CSafeLoader):
        if isinstance(token, yaml.AliasToken):
            where = Where(name, token.start_mark.line + 1, token.start_mark.column + 1)
            raise PolicyError("YAML aliases are not allowed here.", where=where, fix="Write the value out.")


def _refuse_twins(root: yaml.Node, name: str) -> None:
    """A key that stands twice hides a value, and a document with too many values is no policy."""
    todo, seen = [root], 0
    while todo:
        node = todo.pop()
        seen += 1
        if seen > MAX_NODES:
            raise PolicyError("the file holds too many values.", where=Where(name), fix="Split it.")
        if isinstance(node, yaml.SequenceNode):
            todo.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if key.value in keys:
                        where = Where(name, key.start_mark.line + 1, key.start_mark.column + 1)
                        raise PolicyError(f"`{key.value}` stands here twice.", where=where, fix="Remove one.")
                    keys.add(key.value)
                todo.append(value)
