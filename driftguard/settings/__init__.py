"""Everything in ``config.yaml``: what a person writes, checked, with every field described."""

from driftguard.settings.load import load_settings
from driftguard.settings.model import Settings

__all__ = ["Settings", "load_settings"]
