"""A set of row ids in few bytes: which facts a run saw.

Most nights see what the night before saw, so ids come in long runs; gaps between sorted ids as varints,
compressed, take some hundred bytes for fifty thousand ids.
"""

from __future__ import annotations

from collections.abc import Iterable

import zstandard


def pack_ids(ids: Iterable[int]) -> bytes:
    """Sorted distinct ``ids`` (each >= 1), delta-coded and compressed."""
    out = bytearray()
    previous = 0
    for number in sorted(set(ids)):
        step = number - previous
        previous = number
        while step >= 0x80:
            out.append(step & 0x7F | 0x80)
            step >>= 7
        out.append(step)
    return zstandard.ZstdCompressor(level=9).compress(bytes(out))


def unpack_ids(data: bytes) -> list[int]:
    """The inverse of `pack_ids`, in ascending order."""
    ids: list[int] = []
    total = step = shift = 0
    for byte in zstandard.ZstdDecompressor().decompress(bytes(data)):
        step |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
            continue
        total += step
        ids.append(total)
        step = shift = 0
    return ids
