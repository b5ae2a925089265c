"""Patterns in which only ``*`` and ``?`` stand for other text; ``[*]`` and ``[?]`` are those two themselves."""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(r"\[([*?])\]|([*?])|(.)", re.DOTALL)


@lru_cache(maxsize=4096)
def _pattern(glob: str) -> re.Pattern[str]:
    parts = (
        re.escape(itself or char) if not wild else {"*": ".*", "?": "."}[wild]
        for itself, wild, char in _TOKEN.findall(glob)
    )
    return re.compile("".join(parts), re.DOTALL)


def fits(glob: str, text: str) -> bool:
    """Whether ``text`` fits ``glob``."""
    return glob == "*" or _pattern(glob).fullmatch(text) is not None


def literal(text: str) -> str:
    """The glob that ``text`` alone fits: a DNS record may be called ``*.example.com``."""
    return re.sub(r"[*?]", r"[\g<0>]", text)
