"""Settings as text, secrets hidden."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import BaseModel, SecretStr

_USERINFO = re.compile(r"(?<=://)([^/@\s]*)@")
HIDDEN = "••••••"


def shown_setting(name: str, value: object) -> str:
    """A setting's value for people.  A secret, and whatever its name calls one, is hidden."""
    if isinstance(value, SecretStr):
        return HIDDEN if value.get_secret_value() else "–"
    if isinstance(value, BaseModel):
        return _members({key: getattr(value, key) for key in sorted(value.model_fields_set)})
    if value is None or value in ("", (), {}):
        return "–"
    if "secret" in name or "password" in name or name == "external_id":
        return HIDDEN
    if isinstance(value, Mapping):
        return _members(value)
    if isinstance(value, bool):
        return str(value).lower()  # as the file has it
    if isinstance(value, tuple | list):
        return ", ".join(shown_setting(name, part) for part in value)
    return _USERINFO.sub(f"{HIDDEN}@", str(value))


def _members(value: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{key}: {shown_setting(key, part)}" for key, part in value.items()) + "}"
