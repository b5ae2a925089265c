"""``config.example.yaml`` and the settings page, from the settings model."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from driftguard.settings import Settings

_HEAD = """\
# driftguard's settings.  Every line shows its default; an empty file is valid too.
# Every setting can also be given as DRIFTGUARD_SECTION__FIELD in the environment.
"""


def example() -> str:
    """The whole of the settings with their defaults, as commented YAML that is itself valid."""
    lines = [_HEAD]
    for name, field in Settings.model_fields.items():
        lines.append(f"# {field.description}")
        lines.append(f"{name}:")
        lines.extend(_section(getattr(Settings(), name), 1))
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _section(section: BaseModel, depth: int) -> list[str]:
    lines = []
    pad = "  " * depth
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        lines.append(f"{pad}# {field.description}")
        if isinstance(value, BaseModel):
            lines.append(f"{pad}{name}:")
            lines.extend(_section(value, depth + 1))
        else:
            lines.append(f"{pad}{name}: {json.dumps(_plain(value), ensure_ascii=False)}")
    return lines


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return value if isinstance(value, str | int | float | None) else str(value)


def page() -> str:
    """A table for each section: field, type, default, meaning."""
    lines = ["# Settings", "", "Generated from `driftguard/settings`; do not edit.", ""]
    _tables(Settings, "", lines)
    return "\n".join(lines).rstrip() + "\n"


def _tables(model: type[BaseModel], prefix: str, lines: list[str]) -> None:
    leaves, below = [], []
    for name, field in model.model_fields.items():
        inner = _models(field.annotation)
        if inner:
            below.append((name, inner[0], field.description))
        if not (inner and field.annotation is inner[0]):
            default = (
                "required" if field.default is PydanticUndefined and field.default_factory is None else ""
            )
            default = (
                default
                or f"`{json.dumps(_plain(field.get_default(call_default_factory=True)), ensure_ascii=False)}`"
            )
            leaves.append(f"| `{prefix}{name}` | {default} | {field.description} |")
    if leaves:
        lines += [
            f"## {prefix.rstrip('.') or 'top level'}",
            "",
            "| Setting | Default | Meaning |",
            "|---|---|---|",
            *leaves,
            "",
        ]
    for name, inner_model, _ in below:
        _tables(inner_model, f"{prefix}{name}.", lines)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models(part)]
