"""Files that npm brings for the tests (`scripts/install-test-servers`)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

NODE_MODULES = Path(__file__).parents[1] / "node_modules"
AXE_CORE = "axe-core/axe.min.js"
SARIF = "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"


def npm_file(name: str) -> str:
    """The text of a file below ``node_modules``; on CI a missing one is a failure, elsewhere a loud skip."""
    path = NODE_MODULES / name
    if not path.exists():
        message = f"{name} is needed: scripts/install-test-servers installs it"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return path.read_text(encoding="utf-8")
