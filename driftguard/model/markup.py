"""Text of other people in what we print: nothing in it is markup, and nothing in it commands a terminal.  Pure."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What moves, colours, hides or turns round text: all of ASCII's but tab and line feed, C1, marks of direction."""
_PICTURES = 0x2400


def visible(text: str) -> str:
    """``text`` with each control character shown instead of obeyed: ``\\x1b`` as ``␛``."""
    return _CONTROL.sub(_picture, text)


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(_PICTURES + code)
    return "␡" if code == 0x7F else f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class Markdown(str):
    """Text that is Markdown already and is put in as it is; every other text is escaped, however it looks."""

    __slots__ = ()


def cell(text: str) -> Markdown:
    """Text that Markdown leaves as it is: no markup, no new line, no end of a table cell."""
    if isinstance(text, Markdown):
        return text
    return Markdown(re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", _one_line(text)))


def code(text: str) -> Markdown:
    """Text as code, for a line or the cell of a table."""
    if not text:
        return Markdown("")
    text = _one_line(text).replace("|", "\\|")
    fence = _fence(text, 1)
    pad = " " if fence != "`" else ""
    return Markdown(f"{fence}{pad}{text}{pad}{fence}")


def block(text: str, language: str) -> tuple[str, str, str]:
    """The lines of a block of code, whatever stands in it."""
    fence = _fence(text, 3)
    return f"{fence}{language}", visible(text.rstrip()), fence


def _one_line(text: str) -> str:
    return visible(re.sub(r"\s+", " ", text))


def _fence(text: str, shortest: int) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    return "`" * max(shortest, longest + 1)
