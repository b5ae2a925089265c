"""What is generated from the code is what stands in the repository, and imports go down only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


@pytest.mark.parametrize(
    "arguments",
    [("-m", "scripts.reference", "--check"), ("-c", LINT)],
    ids=["the pages are what the code says", "imports go down the stairs only"],
)
def test_what_the_house_promises_holds(arguments: tuple[str, ...]) -> None:
    # In a process of its own: click remembers how a command was first asked for its help.
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
