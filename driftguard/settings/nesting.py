"""How deep a YAML text is nested, found out before libyaml composes it.

libyaml's composer recurses in C: a text that is nested deeply enough ends the process, and no exception tells.
Its parser of events does not recurse.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

_BLOCK = re.compile(r"^[ \t?:-]+", re.MULTILINE)
_HARMLESS = 1_000
"""So many levels are composed safely on the smallest stack that is in use; below it nobody need look closer."""

_TOO_DEEP_FOR_LIBYAML = "maximum nesting depth"


def too_deep(text: str, most: int) -> Any:
    """The mark of the first collection that stands deeper than ``most`` levels; None if there is none.

    A text whose brackets and indentation cannot reach a depth that harms is not looked through: whoever
    builds values from the nodes holds its own limit.  Raises `yaml.YAMLError` like the parser does.
    """
    indented = max((len(found[0]) for found in _BLOCK.finditer(text)), default=0)
    if text.count("[") + text.count("{") + indented <= _HARMLESS:
        return None
    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > most:
                    return event.start_mark
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except yaml.MarkedYAMLError as error:
        # A newer libyaml looks ahead and refuses by itself, before the events of the levels above it come.
        if _TOO_DEEP_FOR_LIBYAML in (error.problem or ""):
            return error.problem_mark
        raise
    return None
