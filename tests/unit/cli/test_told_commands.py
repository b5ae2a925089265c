"""Every command that a report, a page or an error tells a user to run is one that exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from driftguard.cli.root import cli

SOURCE = Path(__file__).parents[3] / "driftguard"
TOLD = re.compile(r"\bdriftguard ((?:[a-z][a-z-]+)(?: (?:--?[a-z][a-z-]*|[A-Za-z0-9{}._-]+))*)")


def told() -> Iterator[tuple[str, str]]:
    for path in sorted(SOURCE.rglob("*")):
        if path.suffix in (".yaml", ".j2", ".py"):
            for found in TOLD.finditer(path.read_text(encoding="utf-8")):
                yield f"{path.relative_to(SOURCE)}", found[1]


def fault(words: list[str]) -> str:
    """What is wrong with a command line that begins with a command's name; empty if nothing is."""
    command: click.Command = cli
    while isinstance(command, click.Group) and words:
        below = command.get_command(click.Context(command), words[0])
        if below is None:
            return f"there is no command {words[0]}"
        command, words = below, words[1:]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return ", ".join(f"no option {word}" for word in words if word.startswith("-") and word not in known)


def test_what_is_told_can_be_run() -> None:
    lines = [
        (place, line) for place, line in told() if line.split()[0] in cli.list_commands(click.Context(cli))
    ]
    assert len(lines) > 20
    assert [(place, line, wrong) for place, line in lines if (wrong := fault(line.split()))] == []


@pytest.mark.parametrize("line", ["remediate plan --finding x", "remediate plam", "report --nonsense"])
def test_a_wrong_line_is_found(line: str) -> None:
    assert fault(line.split())
