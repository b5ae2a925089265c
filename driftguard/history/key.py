"""The installation's own key, which tags redacted secrets: 32 random bytes in a file of mode 0600."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tempfile
from pathlib import Path

from driftguard.errors import ConfigError

_BYTES = 32


def key_path(store_url: str, key_file: str | None = None) -> Path:
    """Where the key is: ``key_file``, or ``driftguard.key`` beside the SQLite file (or here)."""
    if key_file:
        return Path(key_file)
    if store_url.startswith("sqlite:///"):
        return Path(store_url.removeprefix("sqlite:///")).parent / "driftguard.key"
    return Path("driftguard.key")


def load_key(path: Path) -> bytes:
    """The key in ``path``, made on first use.  Raises `ConfigError` when others may read it or it is no key."""
    if not path.exists():
        _make(path)
    return read_key(path)


def read_key(path: Path) -> bytes:
    """The key in ``path``, which must be there.  Raises `ConfigError` when it is not, or is no key."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii").strip()
        key = bytes.fromhex(text)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the key file {path} cannot be read as a key ({error}).", fix="Restore it from a backup."
        ) from None
    if stat.S_IMODE(mode) & 0o077:
        raise ConfigError(f"the key file {path} can be read by others.", fix=f"`chmod 600 {path}`.")
    if len(key) != _BYTES:
        raise ConfigError(f"the key file {path} holds no key.", fix="Restore it from a backup.")
    return key


def _make(path: Path) -> None:
    """Write a new key whole or not at all; of several processes at once, one wins."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=".driftguard.key.", dir=path.parent)
    except OSError as error:
        raise ConfigError(
            f"the key file {path} cannot be written ({error.strerror}).", fix="Set `store.key_file`."
        ) from None
    try:
        os.fchmod(descriptor, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()
