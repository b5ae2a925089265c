"""Texts of which CloudFormation shows characters outside ASCII as ``?``.

Every such text is compared as it is shown: with the live text when that has the same ``?``, with the only live
text that is shown so when there is one.  What neither fits is compared as text like any other.
https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1220
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping

from driftguard.compare.equalities.texts import shown_as
from driftguard.compare.forms import Path, pointer
from driftguard.model import Fold, Json, Partial

RULE = "masked-non-ascii"


def settled(declared: Json, live: Json) -> tuple[Json, tuple[Fold, ...]]:
    """``declared`` with its masked texts as plain ones, and where a live text was proved to be meant."""
    if not any(_masked(declared)):
        return declared, ()
    settler = _Settler(tuple(dict.fromkeys(_texts(live))))
    return settler.value(declared, ()), tuple(settler.folds)


class _Settler:
    def __init__(self, live: tuple[str, ...]) -> None:
        self._live = live
        self._decoded = {text: decoded for text in live if (decoded := _decoded(text)) is not None}
        self.folds: list[Fold] = []

    def value(self, declared: Json, path: Path) -> Json:
        if isinstance(declared, Mapping):
            return {name: self.value(child, (*path, name)) for name, child in declared.items()}
        if isinstance(declared, list | tuple):
            return [self.value(child, (*path, place)) for place, child in enumerate(declared)]
        shown = declared.shown if isinstance(declared, Partial) else None
        return declared if shown is None else self._text(shown, declared.base64, path)

    def _text(self, shown: str, encoded: bool, path: Path) -> str:
        candidates = self._decoded if encoded else {text: text for text in self._live}
        as_is = next((live for live, text in candidates.items() if text == shown), None)
        if as_is is not None:
            return as_is
        fitting = [live for live, text in candidates.items() if shown_as(text, shown)]
        if len(fitting) == 1:
            self.folds.append(Fold(path=pointer(path), rule=RULE))
            return fitting[0]
        return base64.b64encode(shown.encode()).decode() if encoded else shown


def _masked(value: Json) -> Iterator[bool]:
    if isinstance(value, Partial):
        yield value.shown is not None
    elif isinstance(value, Mapping):
        for child in value.values():
            yield from _masked(child)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from _masked(child)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for child in value.values():
            yield from _texts(child)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from _texts(child)


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return None
