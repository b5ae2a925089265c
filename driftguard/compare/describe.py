"""Says in lines what differs inside two values that are known to differ.

deepdiff works here, on one aligned pair and for the reader's eyes alone: it never decides whether something
differs.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping

from driftguard.compare.forms import key, pointer
from driftguard.model import Json

_LONGEST = 20_000
"""Characters of JSON beyond which a value is shown as a whole: describing it would cost more than it tells."""


def describe(expected: Json, actual: Json) -> tuple[str, ...]:
    """Lines such as ``/Action/1: "s3:GetObject" -> "s3:*"``; a text of several lines as a unified diff."""
    if isinstance(expected, str) and isinstance(actual, str) and "\n" in expected + actual:
        lines = difflib.unified_diff(
            expected.splitlines(), actual.splitlines(), "expected", "actual", n=1, lineterm=""
        )
        return tuple(lines)
    both = isinstance(expected, Mapping | list | tuple) and isinstance(actual, Mapping | list | tuple)
    if not both or len(_shown(expected)) + len(_shown(actual)) > _LONGEST or key(expected) == key(actual):
        return (f"{_shown(expected)} -> {_shown(actual)}",)
    return _inside(expected, actual)


def _inside(expected: Json, actual: Json) -> tuple[str, ...]:
    from deepdiff import DeepDiff

    found = DeepDiff(expected, actual, view="tree", threshold_to_diff_deeper=0, ignore_order=False)
    lines = []
    for kind, changes in found.items():
        for change in changes:
            place = pointer(change.path(output_format="list")) or "/"
            if kind.endswith("_added"):
                lines.append(f"{place}: added {_shown(change.t2)}")
            elif kind.endswith("_removed"):
                lines.append(f"{place}: removed {_shown(change.t1)}")
            else:
                lines.append(f"{place}: {_shown(change.t1)} -> {_shown(change.t2)}")
    return tuple(sorted(lines))


def _shown(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
