"""The least severity that makes an exit code 1."""

from __future__ import annotations

from typing import Any

import click

_SEVERITIES = ("critical", "high", "medium", "low", "informational")
_NOTHING = ("none", "never")


class Level(click.Choice[str]):
    """A severity or, for "whatever there is", ``nothing``; the other word for that is understood as well."""

    def __init__(self, nothing: str) -> None:
        super().__init__((*_SEVERITIES, nothing), case_sensitive=False)
        self._nothing = nothing

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        known = self._nothing if str(value).lower() in _NOTHING else value
        return super().convert(known, param, ctx)
