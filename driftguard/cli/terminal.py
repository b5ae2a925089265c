"""A terminal obeys what we print, so that what came from AWS must not command it: the last door before the screen."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from driftguard.model.markup import visible

_OURS = re.compile(r"(\x1b\[(?:(?:0|1|2|22|39|3[1-7]|9[1-7])(?:;(?=\d))?)*m)")
"""The colours that we print ourselves.  None of them can hide a text, so that others may print them, too."""


class Terminal:
    """A text stream of a terminal that shows control characters instead of obeying them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        parts = _OURS.split(text)
        parts[::2] = [visible(part) for part in parts[::2]]
        return self._stream.write("".join(parts))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def guarded() -> Iterator[None]:
    """While it is open, all that goes to a terminal by way of ``sys`` passes here; files and pipes are left alone."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_guard(stream) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _guard(stream: TextIO) -> Any:
    return Terminal(stream) if stream is not None and stream.isatty() else stream
