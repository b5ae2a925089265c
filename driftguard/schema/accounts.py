"""An account's own schemas: private types, and public ones newer than the packaged index.

`save` keeps DescribeType answers in one file per account and region; `use_folder` says where those files are,
and `registry_of` answers the registry of a place.  Where there is no file it is the packaged one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import orjson

from driftguard.errors import InputError
from driftguard.schema.registry import Registry, registry
from driftguard.schema.types import TypeSchema

_FORMAT = 1
_folder: list[Path] = []


def use_folder(folder: Path | None) -> None:
    """Take the schemas of accounts from ``folder``; ``None``: the packaged ones for every account."""
    _folder[:] = [] if folder is None else [folder]
    registry_of.cache_clear()


@lru_cache(maxsize=1024)
def registry_of(account: str, region: str) -> Registry:
    """The registry of an account and region.  Raises `InputError` when its file cannot be used."""
    if not _folder or not (file := path_of(_folder[0], account, region)).is_file():
        return registry()
    found = Registry.packaged()
    for name, schema in load(file).items():
        found.refresh(name, schema)
    return found


def schemas_of(name: str) -> tuple[TypeSchema, ...]:
    """Every schema of the type ``name``: the packaged one, and what each account said of it.

    For what belongs to no account yet.  Raises `InputError` when a file cannot be used.
    """
    files = sorted(_folder[0].glob("*/*.json")) if _folder else []
    places = [("", ""), *((file.parent.name, file.stem) for file in files)]
    found = (registry_of(account, region).get(name) for account, region in places)
    return tuple(dict.fromkeys(schema for schema in found if schema is not None))


def path_of(folder: Path, account: str, region: str) -> Path:
    """The file of an account and region."""
    return folder / account / f"{region}.json"


def save(folder: Path, account: str, region: str, schemas: Mapping[str, str]) -> Path:
    """Write type name -> schema (JSON text), beside what the file already holds of other types.

    Each is checked first.  Raises `InputError` for one that is no schema of its type.
    """
    trial = Registry.packaged()
    for name, schema in schemas.items():
        trial.refresh(name, schema)
    file = path_of(folder, account, region)
    kept = {**(load(file) if file.is_file() else {}), **schemas}
    file.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and put in its place: a reader never sees half a file.
    new = file.with_suffix(".new")
    new.write_bytes(orjson.dumps({"schemas": _FORMAT, "types": kept}, option=orjson.OPT_SORT_KEYS))
    new.replace(file)
    registry_of.cache_clear()
    return file


def load(file: Path) -> Mapping[str, str]:
    """The schemas of a file, by type name.  Raises `InputError`."""
    try:
        data = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}.", fix="Run `driftguard schema refresh`.") from None
    if (
        not isinstance(data, dict)
        or data.get("schemas") != _FORMAT
        or not isinstance(data.get("types"), dict)
    ):
        raise InputError(f"{file} holds no schemas.", fix="Run `driftguard schema refresh`.")
    types: Mapping[str, str] = data["types"]
    return types
