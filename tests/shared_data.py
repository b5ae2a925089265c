"""Where the recorded data of others lies: beside the checkout, or where DRIFTGUARD_SHARED says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("DRIFTGUARD_SHARED") or Path(__file__).parents[2] / "shared")


def shared(*parts: str) -> Path:
    """The path of a file or folder of the shared data; skips the test, saying so, where it is missing."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the shared data are not here: {path} is missing (set DRIFTGUARD_SHARED)")
    return path
