"""Compile the registry schemas that the cfn-lint wheel ships into the packaged index.

Run ``python -m driftguard.schema.build`` after cfn-lint was updated, ``--check`` to see whether the index is
what the installed cfn-lint gives.  cfn-lint is a development dependency: it is found, never imported, and
nothing at run time needs it.

The file: the word ``DGSCHEMA``, the lengths of the two parts that follow (4 bytes each, big-endian), the
directory (zstd, JSON), the zstd dictionary, then one zstd frame a type, at the directory's offsets.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import zstandard

from driftguard.errors import ConfigError
from driftguard.schema.compile import compile_type
from driftguard.schema.registry import INDEX, MAGIC, Registry

_DICTIONARY_BYTES = 112 * 1024
_LEVEL = 19
_HOME_REGION = "us-east-1"


def find_schemas() -> Path:
    """The schema folder of the installed cfn-lint.  Raises `ConfigError` when it is not installed."""
    spec = importlib.util.find_spec("cfnlint")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError("cfn-lint is not installed.", fix="Install the development dependencies.")
    return Path(next(iter(spec.submodule_search_locations))) / "data" / "schemas"


def read_schemas(folder: Path) -> tuple[str, dict[str, dict[str, Any]]]:
    """Version of the schema set, and type name -> small form, for every public AWS type of any region."""
    files: dict[str, str] = {}
    providers = sorted((folder / "providers").glob("*.json"), key=lambda p: (p.stem != _HOME_REGION, p.stem))
    for provider in providers:
        if provider.stem == "sam":
            continue
        for name, digest in json.loads(provider.read_text(encoding="utf-8")).items():
            files.setdefault(name, digest)
    version = json.loads((folder / "version.json").read_text(encoding="utf-8"))
    types = {}
    for name in sorted(files):
        raw = json.loads((folder / "resources" / f"{files[name]}.json").read_text(encoding="utf-8"))
        types[name] = compile_type(raw)
    return json.dumps(version, sort_keys=True), types


def pack(version: str, types: dict[str, dict[str, Any]]) -> bytes:
    """The whole index file."""
    bodies = {name: json.dumps(small, separators=(",", ":")).encode() for name, small in types.items()}
    dictionary = zstandard.train_dictionary(_DICTIONARY_BYTES, list(bodies.values()), level=_LEVEL)
    compressor = zstandard.ZstdCompressor(level=_LEVEL, dict_data=dictionary, write_checksum=False)
    offset, directory, frames = 0, {}, []
    for name, body in bodies.items():
        frame = compressor.compress(body)
        directory[name] = [offset, len(frame)]
        frames.append(frame)
        offset += len(frame)
    plain = zstandard.ZstdCompressor(level=_LEVEL)
    head = plain.compress(json.dumps({"version": version, "types": directory}).encode())
    words = plain.compress(dictionary.as_bytes())
    sizes = len(head).to_bytes(4, "big") + len(words).to_bytes(4, "big")
    return b"".join([MAGIC, sizes, head, words, *frames])


def stale(version: str, types: dict[str, dict[str, Any]]) -> list[str]:
    """What the packaged index has otherwise: type names, or ``version``.  Empty: it is up to date."""
    packaged = Registry.packaged()
    wrong = [name for name in sorted({*types, *packaged.types()}) if packaged.small(name) != types.get(name)]
    return wrong if packaged.version == version else ["version", *wrong]


def main(arguments: list[str]) -> int:
    """Write the index, or with ``--check`` compare it: 0 when it is up to date, 1 when not."""
    version, types = read_schemas(find_schemas())
    if "--check" in arguments:
        wrong = stale(version, types)
        if wrong:
            print(
                f"the schema index is stale ({', '.join(wrong[:5])}); run python -m driftguard.schema.build"
            )
        return 1 if wrong else 0
    INDEX.parent.mkdir(exist_ok=True)
    INDEX.write_bytes(pack(version, types))
    print(f"{len(types)} types, {INDEX.stat().st_size} bytes, {INDEX}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
