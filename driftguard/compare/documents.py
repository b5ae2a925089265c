"""Structured documents that travel inside strings: JSON, URL-encoded JSON, YAML."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import orjson

from driftguard.model import Json

_MAXIMUM = 1_000_000
_MOST_LEVELS = 200


def parsed(text: Json) -> Any:
    """The object or list that ``text`` is in JSON (URL-encoded or not); `None` if it is none."""
    if not isinstance(text, str) or len(text) > _MAXIMUM:
        return None
    start = text.lstrip()[:3]
    if start[:1] not in ("{", "["):
        if start.upper() not in ("%7B", "%5B"):
            return None
        text = unquote(text)
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _loose(text)
    return value if isinstance(value, dict | list) else None


def _loose(text: str) -> Any:
    """JSON as people write it in templates: raw line breaks inside strings."""
    import json

    try:
        value = json.loads(text, strict=False)
    except ValueError:
        return None
    return value if isinstance(value, dict | list) else None


def parsed_yaml(text: Json) -> Any:
    """The object or list that ``text`` is in YAML; `None` if it is none, or one line of prose."""
    if not isinstance(text, str) or len(text) > _MAXIMUM or ("\n" not in text and not text.startswith("{")):
        return None
    import yaml

    from driftguard.settings.nesting import too_deep

    try:
        if too_deep(text, _MOST_LEVELS) is not None:
            return None
        value = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None
