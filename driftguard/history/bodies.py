"""Bodies: the properties of a state, stored once per content and compressed.

A body is kept in full (zstd, with a dictionary trained on the first large night) or as a patch against
the full body that the resource had before (`driftguard.history.delta`).  A delta's base is always a full body, so that any state is
read in at most two steps; once deltas stop paying, the next body is a full one again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from threading import Lock
from typing import TypeVar

import orjson
import zstandard

from driftguard.errors import StoreError
from driftguard.history import delta
from driftguard.history.database import Connection, Row, chunks
from driftguard.model import Json

V = TypeVar("V")
_LEVEL = 12
_DICTIONARY_BYTES = 112_640
_TRAIN_FROM = 500
"""New bodies in one write that make training a dictionary worth while."""
_TRAIN_ON = 4_000
_PLAIN = -1
"""In place of a dictionary: the data are not compressed."""
_DELTA_PAYS = 0.5
"""A delta is kept when it takes at most this part of the full body's size."""


class _Inflater:
    """Decompression, outside of any transaction once the dictionaries are known."""

    def __init__(self) -> None:
        self._decompressors = {0: zstandard.ZstdDecompressor()}
        self._lock = Lock()  # a decompressor serves one thread at a time

    def knows(self, dictionary: int | None) -> bool:
        return dictionary in (None, _PLAIN) or dictionary in self._decompressors

    def learn(self, dictionary: int, trained: zstandard.ZstdCompressionDict) -> None:
        self._decompressors[dictionary] = zstandard.ZstdDecompressor(dict_data=trained)

    def inflate(self, dictionary: int | None, data: bytes | None) -> bytes:
        if dictionary is None or data is None:
            raise StoreError(
                "the store misses the body that a state rests on.",
                fix="`driftguard store verify` names what is damaged.",
            )
        if dictionary == _PLAIN:
            return bytes(data)
        try:
            with self._lock:
                result: bytes = self._decompressors[dictionary].decompress(data)
        except zstandard.ZstdError as error:
            raise _damaged(error) from None
        return result

    def whole(self, row: Row) -> bytes:
        """The raw bytes of a row of `Bodies._load`."""
        _, base, dictionary, data, base_dictionary, base_data = row
        own = self.inflate(dictionary, data)
        return own if base is None else _patched(self.inflate(base_dictionary, base_data), own)


class Lazy(Mapping[str, V]):
    """A mapping that is made when it is first looked at."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], dict[str, V]]) -> None:
        self._make: Callable[[], dict[str, V]] | None = make
        self._made: dict[str, V] = {}

    def _open(self) -> dict[str, V]:
        make = self._make
        if make is not None:
            self._made = make()
            self._make = None
        return self._made

    def __getitem__(self, name: str) -> V:
        return self._open()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._open())

    def __len__(self) -> int:
        return len(self._open())

    def __repr__(self) -> str:
        return repr(self._open())


class Body(Lazy[Json]):
    """The properties of a state, inflated and parsed when they are first looked at.

    An answer about a whole estate is looked at here and there; parsed, it would take many times the memory.
    Looking raises `StoreError` when the body is damaged.
    """

    __slots__ = ()

    def __init__(self, raw: Callable[[], bytes]) -> None:
        super().__init__(lambda: orjson.loads(raw()))


class Bodies:
    """Compression and decompression inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._dictionaries: dict[int, zstandard.ZstdCompressionDict] = {}
        self._inflater = _Inflater()
        self._compressor: tuple[int, zstandard.ZstdCompressor] | None = None
        self._full: dict[int, bytes] = {}

    # -- writing
    def train(self, count: int, sample: Callable[[int], bytes]) -> None:
        """Train the store's dictionary from ``count`` samples, once, when there are enough of them.

        They must stand for the whole estate: a dictionary that saw one account knows a few types only.
        """
        if count < _TRAIN_FROM or self._connection.rows("SELECT id FROM dictionaries LIMIT 1"):
            return
        chosen = random.Random(count).sample(range(count), min(count, _TRAIN_ON))  # noqa: S311  # no secret
        try:
            trained = zstandard.train_dictionary(_DICTIONARY_BYTES, [sample(index) for index in chosen])
        except zstandard.ZstdError:
            return  # too little text to learn from: plain compression does
        self._connection.run("INSERT INTO dictionaries (id, data) VALUES (1, ?)", (trained.as_bytes(),))
        self._compressor = None

    def pack(self, raw: bytes, base: int | None) -> tuple[int | None, int, bytes]:
        """``raw`` as (base body id or None, dictionary id, data)."""
        dictionary, compressor = self._full_compressor()
        full = compressor.compress(raw)
        if base is not None:
            patch = delta.make(self.unpack_one(base), raw)
            packed = compressor.compress(patch)
            kept = (_PLAIN, patch) if len(patch) <= len(packed) else (dictionary, packed)
            if len(kept[1]) <= len(full) * _DELTA_PAYS:
                return base, *kept
        return None, dictionary, full

    def _full_compressor(self) -> tuple[int, zstandard.ZstdCompressor]:
        if self._compressor is None:
            rows = self._connection.rows("SELECT id FROM dictionaries ORDER BY id DESC LIMIT 1")
            number = int(rows[0][0]) if rows else 0
            trained = self._dictionary(number) if number else None
            compressor = zstandard.ZstdCompressor(level=_LEVEL, dict_data=trained, write_dict_id=False)
            self._compressor = (number, compressor)
        return self._compressor

    # -- reading
    def unpack_one(self, body: int) -> bytes:
        """The raw bytes of one body."""
        return self.unpack((body,))[body]

    def unpack(self, ids: Sequence[int]) -> Mapping[int, bytes]:
        """The raw bytes of bodies, by id."""
        result: dict[int, bytes] = {}
        wanted = []
        for number in dict.fromkeys(ids):
            if number in self._full:
                result[number] = self._full[number]
            else:
                wanted.append(number)
        for row in self._load(wanted):
            number, base, dictionary, data, base_dictionary, base_data = row
            if base is None:
                result[number] = self._full[number] = self._inflater.inflate(dictionary, data)
                continue
            if base not in self._full:
                self._full[base] = self._inflater.inflate(base_dictionary, base_data)
            result[number] = _patched(self._full[base], self._inflater.inflate(dictionary, data))
        if len(result) < len(set(ids)):
            raise _missing()
        return result

    def lazily(self, ids: Sequence[int]) -> Mapping[int, Body]:
        """The same, each inflated when it is first looked at, which may be after the transaction."""
        found = {row[0]: Body(partial(self._inflater.whole, row)) for row in self._load(ids)}
        if len(found) < len(set(ids)):
            raise _missing()
        return found

    def forget(self) -> None:
        """Drop cached bodies; called between the batches of a long read."""
        self._full.clear()

    def _load(self, ids: Sequence[int]) -> Iterator[Row]:
        """(id, base id, dictionary id, data, and dictionary id and data of the base) of bodies."""
        for part in chunks(ids):
            for row in self._connection.rows(
                "SELECT b.id, b.base_id, b.dictionary_id, b.data, f.dictionary_id, f.data FROM bodies b "  # noqa: S608
                f"LEFT JOIN bodies f ON f.id = b.base_id WHERE b.id IN ({part})"
            ):
                for number in (row[2], row[4]):
                    if not self._inflater.knows(number):
                        self._inflater.learn(number, self._dictionary(number))
                yield row

    def _dictionary(self, number: int) -> zstandard.ZstdCompressionDict:
        if number not in self._dictionaries:
            rows = self._connection.rows("SELECT data FROM dictionaries WHERE id = ?", (number,))
            if not rows:
                raise StoreError(
                    "the store misses its compression dictionary.", fix="Restore the store from a backup."
                )
            self._dictionaries[number] = zstandard.ZstdCompressionDict(bytes(rows[0][0]))
        return self._dictionaries[number]


def _patched(base: bytes, patch: bytes) -> bytes:
    try:
        return delta.apply(base, patch)
    except ValueError as error:
        raise _damaged(error) from None


def _missing() -> StoreError:
    return StoreError(
        "the store misses the body of a state.", fix="`driftguard store verify` names what is damaged."
    )


def _damaged(error: Exception) -> StoreError:
    return StoreError(f"the body of a state is damaged ({error}).", fix="Restore the store from a backup.")
