"""Where the policies that ship with driftguard are."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def packaged_policies() -> Path:
    """The folder with ``rules``, ``frameworks``, ``waivers`` and ``remediations``: installed, or a checkout's."""
    installed = _PACKAGE / "_policies"
    return installed if installed.is_dir() else _PACKAGE.parent / "policies"
