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
_INDENT = "    "
_READABLE = 20
"""A cell that is cut keeps so many characters at least; shorter ones are never cut."""
_WHOLE = frozenset({"ID", "POLICY", "RUN", "CONTROL", "SEVERITY", "STATUS", "VERDICT", "ACCOUNT"})
"""Columns that are never cut: what stands in them is typed again, or says it all."""

Line = list[tuple[int, int]]
"""A line of a row: its columns and their widths."""


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print ``rows`` in columns; ``empty`` says what to do when there are none.

    On a terminal the widest columns give way, and what finds no place goes to indented lines below; elsewhere
    nothing is cut, and a row is a line.
    """
    texts = [[visible(str(cell)) for cell in row] for row in rows]
    if not texts:
        click.echo(empty)
        return
    widths = [max(len(header), *(len(row[i]) for row in texts)) for i, header in enumerate(headers)]
    terminal = sys.stdout.isatty()
    wide = shutil.get_terminal_size((160, 24)).columns if terminal else sum(widths) + len(_GAP) * len(widths)
    lines = laid_out(headers, widths, wide)
    click.secho(_row(headers, lines), bold=True)
    for row in texts:
        colour = next((_COLOURS[cell] for cell in row if cell in _COLOURS), None)
        click.secho(_row(row, lines), fg=colour if terminal else None)


def more(cursor: str | None, total: int | None = None) -> None:
    """Say how to see the next page, on stderr."""
    if cursor:
        of = f" of {total}" if total else ""
        click.echo(f"There is more{of}: --cursor {cursor}", err=True)


def laid_out(headers: Sequence[str], widths: Sequence[int], wide: int) -> list[Line]:
    """The columns, in their order, on as many lines of ``wide`` characters as they need to be read."""
    least = [
        width if header in _WHOLE else min(width, _READABLE)
        for header, width in zip(headers, widths, strict=True)
    ]
    lines: list[list[int]] = [[]]
    for column, width in enumerate(least):
        taken = sum(least[other] + len(_GAP) for other in lines[-1]) + len(_INDENT) * (len(lines) > 1)
        if lines[-1] and taken + width > wide:
            lines.append([])
        lines[-1].append(column)
    return [
        _fitted(line, widths, least, wide - len(_INDENT) * (number > 0)) for number, line in enumerate(lines)
    ]


def _fitted(line: Sequence[int], widths: Sequence[int], least: Sequence[int], wide: int) -> Line:
    """The columns of one line, the greatest of them made smaller, all alike, until it takes ``wide`` characters."""
    room = wide - len(_GAP) * (len(line) - 1)
    most = max(widths[column] for column in line)

    def width(column: int) -> int:
        return max(least[column], min(widths[column], most))

    while most > _READABLE and sum(map(width, line)) > room:
        most -= 1
    return [(column, width(column)) for column in line]


def _row(cells: Sequence[str], lines: Sequence[Line]) -> str:
    return f"\n{_INDENT}".join(
        _GAP.join(_cut(cells[column], width).ljust(width) for column, width in line).rstrip()
        for line in lines
    )


def _cut(text: str, width: int) -> str:
    """The middle left out: names of stacks and ARNs differ at their ends."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 3
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"
