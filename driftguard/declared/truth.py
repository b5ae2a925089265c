"""Kleene's three-valued logic, and the form in which conditions compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from driftguard.declared.text import as_text
from driftguard.model import Json, Unknown

Truth: TypeAlias = bool | Unknown


def comparable(value: Json) -> Json:
    """The form in which ``Fn::Equals`` compares: every scalar as text."""
    if isinstance(value, list):
        return [comparable(item) for item in value]
    return (
        {key: comparable(item) for key, item in value.items()}
        if isinstance(value, Mapping)
        else as_text(value)
    )


def kleene(truths: list[Truth], *, decisive: bool) -> Truth:
    """And (``decisive`` false) or or (true) of truths: the decisive one wins over what is unknown."""
    if any(truth is decisive for truth in truths):
        return decisive
    return next((truth for truth in truths if isinstance(truth, Unknown)), not decisive)
