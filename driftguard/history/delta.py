"""Patches between two texts that are nearly the same: the canonical JSON of one resource on two nights.

A patch is a list of hunks, each three varints and a literal: how many bytes of the old text to keep, how
many to skip, how many bytes of literal follow, the literal.  What is left of the old text is the tail.  An
edit of one value costs some ten bytes more than the value, and applying it is a join of slices; a general
compressor needs a frame, and a context of its own for every body.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

_TOKENS = re.compile(rb"[^,{}\[\]]*[,{}\[\]]?")
_MOST_TOKENS = 4_000
"""Above this the alignment would take seconds; one hunk for all that differs is kept instead."""


def make(old: bytes, new: bytes) -> bytes:
    """The patch that turns ``old`` into ``new``."""
    out = bytearray()
    done = 0
    for start, end, literal in _hunks(old, new):
        _put(out, start - done)
        _put(out, end - start)
        _put(out, len(literal))
        out += literal
        done = end
    return bytes(out)


def apply(old: bytes, patch: bytes) -> bytes:
    """``old`` patched.  Raises `ValueError` when ``patch`` is damaged or was made for another text."""
    parts = []
    at = position = 0
    while position < len(patch):
        keep, position = _get(patch, position)
        skip, position = _get(patch, position)
        size, position = _get(patch, position)
        parts.append(old[at : at + keep])
        parts.append(patch[position : position + size])
        at += keep + skip
        position += size
    if at > len(old) or position > len(patch):
        raise ValueError("the patch does not fit")
    parts.append(old[at:])
    return b"".join(parts)


def _hunks(old: bytes, new: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(start, end, literal): ``old[start:end]`` becomes ``literal``; in order, never touching."""
    head, tail = _trim(old, new)
    if head == len(old) == len(new):
        return
    one, two = old[head : len(old) - tail], new[head : len(new) - tail]
    ones, twos = _TOKENS.findall(one), _TOKENS.findall(two)
    if max(len(ones), len(twos)) > _MOST_TOKENS:
        yield head, head + len(one), two
        return
    at, to = _offsets(ones), _offsets(twos)
    for kind, a, b, c, d in SequenceMatcher(None, ones, twos, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        before, after = one[at[a] : at[b]], two[to[c] : to[d]]
        left, right = _trim(before, after)
        yield head + at[a] + left, head + at[b] - right, after[left : len(after) - right]


def _offsets(tokens: list[bytes]) -> list[int]:
    offsets = [0]
    for token in tokens:
        offsets.append(offsets[-1] + len(token))
    return offsets


def _trim(one: bytes, two: bytes) -> tuple[int, int]:
    """How many bytes both begin with, and how many of the rest they end with."""
    head = _common(one, two)
    return head, _common(one[head:][::-1], two[head:][::-1])


def _common(one: bytes, two: bytes) -> int:
    low, high = 0, min(len(one), len(two))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == two[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _put(out: bytearray, number: int) -> None:
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _get(data: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if position >= len(data):
            raise ValueError("the patch is cut off")
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7
