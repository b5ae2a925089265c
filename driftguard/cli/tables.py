"""Tables and lines for people; JSON has its own documents."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence

import click

from driftguard.model.markup import visible

_COLOURS = {
    "CRITICAL": "red",
    "HIGH": "red",
    "MEDIUM": "yellow",
    "MODIFIED": "yellow",
    "DELETED": "red",
    "NON_COMPLIANT": "red",
    "COMPLIANT": "green",
    "IN_SYNC": "green",
}
_GAP = "  "
_NARROWEST = 6


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print ``rows`` in columns; ``empty`` says what to do when there are none.

    On a terminal the widest columns give way until every column is seen; elsewhere nothing is cut.
    """
    texts = [[visible(str(cell)) for cell in row] for row in rows]
    if not texts:
        click.echo(empty)
        return
    widths = [max(len(header), *(len(row[i]) for row in texts)) for i, header in enumerate(headers)]
    if sys.stdout.isatty():
        widths = fitted(widths, shutil.get_terminal_size((160, 24)).columns)
    click.secho(_line(headers, widths), bold=True)
    for row in texts:
        line = _line(row, widths)
        colour = next((_COLOURS[cell] for cell in row if cell in _COLOURS), None)
        click.secho(line, fg=colour if sys.stdout.isatty() else None)


def more(cursor: str | None, total: int | None = None) -> None:
    """Say how to see the next page, on stderr."""
    if cursor:
        of = f" of {total}" if total else ""
        click.echo(f"There is more{of}: --cursor {cursor}", err=True)


def fitted(widths: Sequence[int], wide: int) -> list[int]:
    """``widths`` with the greatest of them made smaller, all alike, until a line takes ``wide`` characters."""
    room = wide - len(_GAP) * (len(widths) - 1)
    most = max(widths)
    while most > _NARROWEST and sum(min(width, most) for width in widths) > room:
        most -= 1
    return [min(width, most) for width in widths]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(
        _cut(cell, width).ljust(width) for cell, width in zip(cells, widths, strict=True)
    ).rstrip()


def _cut(text: str, width: int) -> str:
    """The middle left out: names of stacks and ARNs differ at their ends."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 3
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"
