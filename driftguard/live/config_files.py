"""Configuration items from files: what AWS Config delivers to S3 and SNS, and what its commands print.

Snapshot and history files may be gzipped and larger than memory; their items are read one at a time.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TextIO, cast

from driftguard.errors import InputError, Where
from driftguard.live.config_items import ConfigurationItem, parse_item

_CHUNK = 1 << 16
_GZIP = b"\x1f\x8b"
_LIST_KEY = '"configurationItems"'
_DECODER = json.JSONDecoder()
_MAX_ITEM = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A record of a file that could not be understood; ``number`` counts from 1.  The others were read."""

    file: str
    number: int
    error: str


def files_in(paths: Iterable[str | Path]) -> Iterator[Path]:
    """The files named by ``paths``; a folder stands for all ``.json`` and ``.json.gz`` files below it.

    Raises `InputError` for a path that does not exist.
    """
    for path in map(Path, paths):
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.name.endswith((".json", ".json.gz")))
        elif path.is_file():
            yield path
        else:
            raise InputError("there is no such file.", where=Where(str(path)))


def read_file(path: str | Path) -> Iterator[ConfigurationItem | Rejected]:
    """The items of one file, in its order.

    Raises `InputError` when the file cannot be read, is no JSON, is cut off (after the items before the
    cut), or holds no configuration items.
    """
    try:
        with Path(path).open("rb") as stream:
            yield from read_stream(stream, str(path))
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot be read: {reason}.", where=Where(str(path))) from error


def read_stream(stream: IO[bytes], name: str) -> Iterator[ConfigurationItem | Rejected]:
    """The items of an open file, gzipped or not (an S3 object's body serves too).  See `read_file`."""
    text: TextIO = io.TextIOWrapper(_plain(stream), encoding="utf-8-sig")
    number = 0
    try:
        for number, raw in enumerate(_records(text, name), 1):
            yield _item(raw, name, number)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"is cut off or damaged after item {number} ({error}).", where=Where(name)
        ) from error
    except UnicodeDecodeError as error:
        raise InputError("is not UTF-8 text.", where=Where(name)) from error
    if number == 0:
        raise InputError(
            "holds no configuration items.",
            where=Where(name),
            fix="Give a snapshot or history file that AWS Config delivered.",
        )


def items_of(value: Any, name: str = "event") -> Iterator[ConfigurationItem | Rejected]:
    """The items inside a JSON value: an EventBridge or SNS event, or an answer of AWS Config."""
    for number, raw in enumerate(_walk(value), 1):
        yield _item(raw, name, number)


def distinct(items: Iterable[ConfigurationItem | Rejected]) -> Iterator[ConfigurationItem | Rejected]:
    """``items`` with each recorded state once.

    AWS Config sometimes delivers a state again, same id and capture time, with other content: that is no
    change, and the first one stands.
    """
    seen: set[tuple[object, ...]] = set()
    for item in items:
        if isinstance(item, ConfigurationItem) and item.state_id is not None:
            state = (item.account, item.region, item.type, item.id, item.state_id, item.captured_at)
            if state in seen:
                continue
            seen.add(state)
        yield item


class _Peeked(io.RawIOBase):
    """A stream with its first bytes put back, so that an S3 body need not be seekable."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


def _plain(stream: IO[bytes]) -> IO[bytes]:
    head = stream.read(2)
    whole = io.BufferedReader(_Peeked(head, stream), _CHUNK)
    # An empty gzip stream and an empty file are told apart by their first bytes only.
    return cast(IO[bytes], gzip.GzipFile(fileobj=whole) if head == _GZIP else whole)


def _records(text: TextIO, name: str) -> Iterator[Any]:
    head = text.read(_CHUNK)
    start = head.find(_LIST_KEY)
    opened = head.find("[", start) if start >= 0 else -1
    if opened >= 0 and head[start + len(_LIST_KEY) : opened].strip() == ":" and _top_level(head[:start]):
        yield from _members(text, head[opened + 1 :], name)
        return
    whole = head + text.read()
    try:
        yield from _walk(json.loads(whole))
    except json.JSONDecodeError as error:
        yield from _lines(whole, name, error)


def _top_level(before: str) -> bool:
    """Whether the text before a key opens nothing but the outermost object."""
    return before.count("{") - before.count("}") == 1 and before.count("[") == before.count("]")


def _members(text: TextIO, buffer: str, name: str) -> Iterator[Any]:
    """The members of a JSON array, of which ``buffer`` is the beginning without its bracket."""
    number = 0
    while True:
        buffer = buffer.lstrip(" \t\r\n,")
        if buffer.startswith("]"):
            return
        try:
            if not buffer:
                raise json.JSONDecodeError("end of text", buffer, 0)
            record, end = _DECODER.raw_decode(buffer)
        except json.JSONDecodeError as error:
            more = text.read(_CHUNK)
            if not more or len(buffer) > _MAX_ITEM:
                raise InputError(
                    f"is cut off or no JSON after item {number} ({error.msg}).", where=Where(name)
                ) from error
            buffer += more
            continue
        number += 1
        yield record
        buffer = buffer[end:]


def _lines(whole: str, name: str, error: json.JSONDecodeError) -> Iterator[Any]:
    """JSON lines, where the text is no single document."""
    lines = [(number, line) for number, line in enumerate(whole.splitlines(), 1) if line.strip()]
    if len(lines) < 2:
        raise InputError(
            f"is not JSON: {error.msg}.", where=Where(name, error.lineno, error.colno)
        ) from error
    for number, line in lines:
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            raise InputError(
                f"is not JSON: {error.msg}.",
                where=Where(name, error.lineno if number == 1 else number, error.colno if number == 1 else 1),
            ) from error
        yield from _walk(record)


def _walk(value: Any) -> Iterator[Any]:
    """Every configuration item below ``value``, through notifications, events and recorded answers."""
    if isinstance(value, Mapping):
        if "resourceType" in value and "resourceId" in value:
            # Anything that says what it records is an item; parse_item says what is wrong with it.
            yield value
            return
        for part in value.values():
            yield from _walk(part)
    elif isinstance(value, list):
        for part in value:
            yield from _walk(part)
    elif isinstance(value, str) and value[:1] in "{[" and "resourceType" in value:
        try:
            yield from _walk(json.loads(value))
        except json.JSONDecodeError:
            return


def _item(raw: Any, name: str, number: int) -> ConfigurationItem | Rejected:
    if not isinstance(raw, Mapping):
        return Rejected(file=name, number=number, error="it is no JSON object.")
    try:
        item = parse_item(raw)
    except InputError as error:
        return Rejected(file=name, number=number, error=error.message)
    if "configuration" not in raw and not item.deleted and item.recorded:
        return Rejected(
            file=name,
            number=number,
            error=f"{item.type} {item.id} is only a summary; AWS Config delivered the item itself to S3.",
        )
    return item
