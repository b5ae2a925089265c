"""Every command that a text of ours advises exists, with its options: advice that fails is worse than none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from driftguard.cli.root import cli

ROOT = Path(__file__).parents[3]
FILES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "driftguard").rglob("*.py")),
    *sorted((ROOT / "driftguard").rglob("*.j2")),
    *sorted((ROOT / "driftguard").rglob("locale/*.yaml")),
    *sorted((ROOT / "policies" / "remediations").rglob("*.yaml")),
]
_WORD = r"(?:[a-z-]+|--?[a-z-]+(?: [A-Z{<][^\s`]*)?|[A-Z{.<][^\s`\"')]*) ?"
_ADVICE = re.compile(rf"(`|\$ |\"|\bRun:? |: |\(|'|→ )driftguard ((?:{_WORD})+)")
_SURE = ("`", "$ ")
"""What stands behind these is typed; behind a quote or a colon it may be the name of the tool in a sentence."""


def advised(text: str) -> Iterator[tuple[bool, list[str]]]:
    """The words after ``driftguard`` in what looks like a command to type, and whether it certainly is one."""
    for found in _ADVICE.finditer(text):
        yield found[1] in _SURE, found[2].split()


def fault(words: list[str], *, sure: bool = True) -> str:
    """What is wrong with a command; empty where nothing is, or where it may be a sentence."""
    group: click.Command = cli
    context = click.Context(cli)
    rest = list(words)
    if rest[:1] == ["--config"]:
        rest = rest[2:]
    if not rest or rest[0].startswith("-"):
        return ""
    while rest and isinstance(group, click.Group):
        name = rest[0]
        found = group.get_command(context, name)
        if found is None:
            prose = group is cli and not sure
            return "" if prose or not re.fullmatch(r"[a-z-]+", name) else f"there is no `{' '.join(words)}`"
        group = found
        rest.pop(0)
    known = {option for parameter in group.params for option in (*parameter.opts, *parameter.secondary_opts)}
    known |= {"-h", "--help"}
    wrong = [word for word in rest if word.startswith("--") and word.split("=")[0] not in known]
    return f"`{' '.join(words)}`: no option {', '.join(wrong)}" if wrong else ""


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_advised_can_be_typed(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    faults = [told for sure, words in advised(text) if (told := fault(words, sure=sure))]
    assert faults == []


def test_bad_advice_is_found() -> None:
    assert fault(["evidence", "attest", "X"]) and fault(["remediate", "plan", "--finding", "X"])
    assert not fault(["remediate", "plan", "FINDING"])
    assert list(advised("see `driftguard drift --output json`.")) == [(True, ["drift", "--output", "json"])]
