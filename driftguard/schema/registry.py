"""The index of all registry schemas, read from the packaged file, one type at a time."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import orjson
import zstandard

from driftguard.errors import InputError
from driftguard.schema.compile import compile_type
from driftguard.schema.types import TypeSchema

INDEX: Final = Path(__file__).parent / "data" / "registry.zst"
MAGIC: Final = b"DGSCHEMA"


class Registry:
    """Every public AWS type, and what an account's own DescribeType answers add to or replace in it."""

    def __init__(self, version: str, directory: Mapping[str, list[int]], body: bytes, words: bytes) -> None:
        self.version = version
        self._directory = directory
        self._body = body
        self._decompressor = zstandard.ZstdDecompressor(dict_data=zstandard.ZstdCompressionDict(words))
        self._types: dict[str, TypeSchema] = {}
        self._refreshed: set[str] = set()

    @classmethod
    def packaged(cls, path: Path = INDEX) -> Registry:
        """A registry of its own (`registry` shares one).  Raises `InputError` when the file is no index."""
        data = path.read_bytes()
        if not data.startswith(MAGIC):
            raise InputError(f"{path.name} is not a schema index.", fix="Reinstall driftguard.")
        at = len(MAGIC)
        sizes = [int.from_bytes(data[at + n : at + n + 4], "big") for n in (0, 4)]
        start = at + 8
        plain = zstandard.ZstdDecompressor()
        head = orjson.loads(plain.decompress(data[start : start + sizes[0]]))
        words = plain.decompress(data[start + sizes[0] : start + sum(sizes)])
        return cls(head["version"], head["types"], data[start + sum(sizes) :], words)

    def types(self) -> tuple[str, ...]:
        """All type names, sorted."""
        return tuple(sorted({*self._directory, *self._refreshed}))

    def get(self, name: str) -> TypeSchema | None:
        """The schema of the type ``name``; `None` for a custom, private or misspelt type."""
        if name not in self._types:
            small = self.small(name)
            if small is None:
                return None
            self._types[name] = TypeSchema(small)
        return self._types[name]

    def small(self, name: str) -> dict[str, Any] | None:
        """The compiled form of the packaged type, as `driftguard.schema.compile` makes it."""
        place = self._directory.get(name)
        if place is None:
            return None
        frame = self._body[place[0] : place[0] + place[1]]
        loaded: dict[str, Any] = orjson.loads(self._decompressor.decompress(frame))
        return loaded

    def refresh(self, name: str, schema: str | bytes | Mapping[str, Any]) -> TypeSchema:
        """Use the ``Schema`` of a DescribeType answer for the type ``name`` from now on.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeType.html

        Schemas differ by account (private types) and in time: give each account and region a registry of
        its own (`Registry.packaged`).  Raises `InputError` when it is no schema of that type; the one in
        use then stays.
        """
        try:
            raw = orjson.loads(schema) if isinstance(schema, str | bytes) else schema
            small = compile_type(raw)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"The schema given for {name} is no registry schema: {error}.") from error
        if small["t"] != name:
            raise InputError(f"The schema given for {name} is that of {small['t']}.")
        self._types[name] = TypeSchema(small)
        self._refreshed.add(name)
        return self._types[name]


@lru_cache(maxsize=1)
def registry() -> Registry:
    """The packaged registry, shared by the whole process."""
    return Registry.packaged()
