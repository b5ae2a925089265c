"""What looks like a secret by its name, and what stands in its place."""

from __future__ import annotations

import re
from collections.abc import Mapping

from driftguard.model import Json

REDACTED = "(sensitive value)"
_SECRET = re.compile(
    r"(?:^|_)(?:password|passwd|secret|secret_?key|secret_string|secret_binary|private_?key|auth_?token|api_?key"
    r"|access_?token|client_secret|ses_smtp_password_v4|encrypted_(?:secret|password))(?:_\w*)?$"
    r"|^(?:secret|token|key_material|user_data|user_data_base64)$",
    re.IGNORECASE,
)
_NOT_SECRET = re.compile(
    r"(?:_arn|_id|_name|_policy|_length|_version|_versions|_enabled|_type)$", re.IGNORECASE
)


def is_secret_name(name: str) -> bool:
    """Whether a snake_case or CamelCase property of this name may hold a secret."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return _SECRET.search(snake) is not None and _NOT_SECRET.search(snake) is None


def blanked(value: Json) -> Json:
    """``value`` with everything under a secret's name replaced."""
    if isinstance(value, Mapping):
        return {key: REDACTED if _holds(key, item) else blanked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [blanked(item) for item in value]
    return value


def _holds(name: str, value: Json) -> bool:
    return value not in (None, "", False, True) and is_secret_name(name)
