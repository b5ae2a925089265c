"""Words of a fixed vocabulary: checked when the settings are loaded, whatever their case."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _level(value: Any) -> Any:
    """`check` calls "none" "never", so that both are understood."""
    word = value.lower() if isinstance(value, str) else value
    return "none" if word == "never" else word


Label = Annotated[Literal["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"], BeforeValidator(_upper)]
"""A severity."""

Kind = Annotated[Literal["DRIFT", "UNDECLARED", "UNMANAGED", "COMPLIANCE"], BeforeValidator(_upper)]
"""A kind of finding."""

FailOn = Annotated[
    Literal["critical", "high", "medium", "low", "informational", "none"], BeforeValidator(_level)
]
"""The least severity that makes an exit code 1."""
