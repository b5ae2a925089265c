"""Tables and lines for people; JSON has its own documents."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence

import click

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


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print ``rows`` in columns, cut to the terminal's width; ``empty`` says what to do when there are none."""
    texts = [[str(cell) for cell in row] for row in rows]
    if not texts:
        click.echo(empty)
        return
    widths = [max(len(header), *(len(row[i]) for row in texts)) for i, header in enumerate(headers)]
    wide = shutil.get_terminal_size((160, 24)).columns if sys.stdout.isatty() else 10_000
    click.secho(_line(headers, widths, wide), bold=True)
    for row in texts:
        line = _line(row, widths, wide)
        colour = next((_COLOURS[cell] for cell in row if cell in _COLOURS), None)
        click.secho(line, fg=colour if sys.stdout.isatty() else None)


def more(cursor: str | None, total: int | None = None) -> None:
    """Say how to see the next page, on stderr."""
    if cursor:
        of = f" of {total}" if total else ""
        click.echo(f"There is more{of}: --cursor {cursor}", err=True)


def _line(cells: Sequence[str], widths: Sequence[int], wide: int) -> str:
    text = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
    return text if len(text) <= wide else text[: wide - 1] + "…"
