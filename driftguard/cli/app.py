"""What every command is handed: the settings, loaded once and only when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from driftguard.settings import Settings


@dataclass
class App:
    """The state of one invocation of the command line."""

    config_file: str | None = None
    verbose: int = 0

    @cached_property
    def settings(self) -> Settings:
        """The effective settings: file, then ``DRIFTGUARD_*``.  Raises `ConfigError`."""
        from driftguard.settings import load_settings

        return load_settings(self.config_file)


pass_app = click.make_pass_decorator(App)
