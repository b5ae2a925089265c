"""Model values as JSON and back, instants as integers, and the digests that name content.

A dataclass becomes an object without the fields that hold their default, so that a stored document stays
small and an older document still loads after a field is added.
"""

from __future__ import annotations

import hashlib
import types
import typing
from collections.abc import Callable, Mapping
from collections.abc import Mapping as AbstractMapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, TypeVar

import orjson

from driftguard.model import Json

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 (UTC), exact."""
    return (moment - _EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    """The inverse of `micros`."""
    return _EPOCH + value * _MICROSECOND


def iso(moment: datetime) -> str:
    """``2026-11-21T02:00:00.000000Z``: always UTC and of one width, so that text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_iso(text: str) -> datetime:
    """The inverse of `iso`; also reads any other ISO 8601 form with an offset."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def text_digest(value: str) -> bytes:
    """What a text of the store is found by: sixteen bytes of its SHA-256."""
    return hashlib.sha256(value.encode()).digest()[:16]


def canonical(value: Json) -> bytes:
    """``value`` as canonical JSON: sorted keys, no spaces, UTF-8."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=_odd)


def _odd(value: object) -> Json:
    if isinstance(value, int):
        return str(value)  # beyond 64 bits
    if isinstance(value, AbstractMapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def digest(value: Json) -> str:
    """SHA-256 of the canonical JSON, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def pack_hash(text: str) -> bytes:
    """A state hash as few bytes: hex digests take half their length, any other text stays itself."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    return b"\x00" + raw if raw and raw.hex() == text else b"\x01" + text.encode()


def unpack_hash(data: bytes) -> str:
    """The inverse of `pack_hash`."""
    data = bytes(data)
    return data[1:].hex() if data[:1] == b"\x00" else data[1:].decode()


def encode(value: Any) -> Json:
    """``value`` as plain JSON values."""
    if value is None or (isinstance(value, str | int | float) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, frozenset | set):
        return sorted(encode(item) for item in value)
    if isinstance(value, AbstractMapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {
            name: encode(item)
            for name, default in _defaults(type(value))
            if (item := getattr(value, name)) != default or default is MISSING
        }
    raise TypeError(f"{type(value).__name__} cannot be stored")


def text(value: Any) -> str:
    """``value`` as canonical JSON text."""
    return canonical(encode(value)).decode()


def decode(kind: type[T], data: Json) -> T:
    """The value of type ``kind`` that `encode` made ``data`` from."""
    reader: Callable[[Any], T] = _decoder(typing.cast(typing.Hashable, kind))
    result = reader(data)
    return result


def from_text(kind: type[T], data: str | bytes) -> T:
    """The inverse of `text`."""
    return decode(kind, orjson.loads(data))


@cache
def _defaults(kind: type) -> tuple[tuple[str, Any], ...]:
    result = []
    for field in fields(kind):
        default = field.default
        if default is MISSING and field.default_factory is not MISSING:
            default = field.default_factory()
        result.append((field.name, default))
    return tuple(result)


def _same(data: Any) -> Any:
    return data


@cache
def _decoder(kind: Any) -> Callable[[Any], Any]:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if kind is datetime:
        return from_iso
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if isinstance(kind, type) and is_dataclass(kind):
        return _dataclass_decoder(kind)
    if origin in (typing.Union, types.UnionType):
        inner = _decoder(next(arg for arg in args if arg is not type(None)))
        return lambda data: None if data is None else inner(data)
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        item = _decoder(args[0])
        return lambda data: tuple(item(part) for part in data)
    if origin is tuple:
        parts = tuple(_decoder(arg) for arg in args)
        return lambda data: tuple(part(value) for part, value in zip(parts, data, strict=True))
    if origin is frozenset:
        member = _decoder(args[0])
        return lambda data: frozenset(member(part) for part in data)
    if origin in (Mapping, AbstractMapping, dict):
        value = _decoder(args[1])
        return lambda data: {key: value(part) for key, part in data.items()}
    return _same


def _dataclass_decoder(kind: type) -> Callable[[Any], Any]:
    hints = typing.get_type_hints(kind)
    readers = {field.name: _decoder(hints[field.name]) for field in fields(kind)}

    def read(data: Any) -> Any:
        return kind(**{name: readers[name](part) for name, part in data.items() if name in readers})

    return read
