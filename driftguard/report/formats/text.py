"""Text for a terminal."""

from __future__ import annotations

import io
from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from driftguard.model import Report
from driftguard.report.options import Options
from driftguard.report.view import Item, View, view

MEDIA_TYPE = "text/plain; charset=utf-8"
SUFFIX = ".txt"
_STYLES = {
    "CRITICAL": "bold magenta",
    "HIGH": "bold red",
    "MEDIUM": "yellow",
    "LOW": "cyan",
    "INFORMATIONAL": "dim",
}
_TONES = {"bad": "bold red", "warn": "bold yellow", "good": "bold green"}
_CARDS = 50
_ROWS = 200


def render(report: Report, options: Options) -> str:
    """``report`` for a terminal of ``options.width`` columns, with colours if ``options.color``."""
    shown = view(report, options)
    out = io.StringIO()
    console = Console(
        file=out,
        width=options.width,
        force_terminal=options.color,
        no_color=not options.color,
        color_system="standard" if options.color else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    for part in _parts(report, shown):
        console.print(part)
    # The console fills lines up to its width; nobody needs those blanks.
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _parts(report: Report, shown: View) -> Iterable[RenderableType]:
    say = shown.text
    yield Text(shown.headline[0], style=_TONES[shown.tone])
    if len(shown.headline) > 1:
        yield Text(" ".join(shown.headline[1:]))
    yield Text("")
    yield Text("   ".join(f"{tile.label}: {tile.value} ({tile.note})" for tile in shown.tiles), style="dim")
    if shown.new:
        yield _heading(say("section.new"), len(shown.new))
        yield from _cards(shown.new, shown)
    if shown.still:
        yield _heading(say("section.open"), len(shown.still))
        yield from _cards(shown.still, shown)
    if shown.resolved:
        yield _heading(say("section.resolved"), len(shown.resolved))
        yield _rows(shown.resolved[:_ROWS])
    if shown.accepted:
        yield _heading(say("section.accepted"), len(shown.accepted))
        yield _rows(shown.accepted[:_ROWS])
    if shown.sources:
        yield _heading(say("section.three_way"), len(shown.sources))
        yield _sources(shown)
    if report.unmatched_templates:
        yield _heading(say("section.unmatched"), len(report.unmatched_templates))
        yield from (Text(f"  {file}", style="dim") for file in report.unmatched_templates[:_ROWS])
    yield _heading(say("section.coverage"), len(report.gaps))
    yield Text("  " + " · ".join(f"{label} {count}" for label, count in shown.coverage))
    if shown.gaps:
        yield _gaps(shown)
    elif report.outcome.value == "COMPLETE":
        yield Text("  " + say("empty.gaps"), style="dim")
    else:
        yield Text("  " + say("headline.partial_none"), style="yellow")
    if report.notes:
        yield _heading(say("section.remarks"), len(report.notes))
        for note in report.notes[:_ROWS]:
            yield Text("  " + note)


def _heading(title: str, count: int) -> Text:
    return Text.assemble("\n", (title, "bold"), (f" ({count})", "dim"))


def _cards(items: tuple[Item, ...], shown: View) -> Iterable[RenderableType]:
    for item in items[:_CARDS]:
        yield Padding(_card(item, shown), (1, 0, 0, 2))
    if len(items) > _CARDS:
        yield Text("")
        yield _rows(items[_CARDS : _CARDS + _ROWS])
    if len(items) > _CARDS + _ROWS:
        yield Text("  " + shown.text("more", count=len(items) - _CARDS - _ROWS), style="dim")


def _card(item: Item, shown: View) -> Group:
    say = shown.text
    badges = [(f"  [{badge}]", "dim") for badge in item.badges]
    lines: list[RenderableType] = [
        Text.assemble(
            (item.severity.ljust(9), _STYLES[item.finding.severity.value]), " ", (item.title, "bold"), *badges
        ),
        Text(f"  {item.resource}  ·  {item.place}", style="dim"),
    ]
    for change in item.changes:
        lines.append(Text(f"  {change.path}"))
        lines.append(Text.assemble(f"    {item.before_label}: ", (change.before, "green")))
        lines.append(Text.assemble(f"    {say('column.actual')}: ", (change.after, "red")))
    if item.more_changes:
        lines.append(Text("  " + say("elements.more", count=item.more_changes), style="dim"))
    if not item.changes and item.finding.message and item.finding.kind.value == "COMPLIANCE":
        lines.append(Text("  " + item.finding.message))
    lines.append(
        Text(f"  {say('column.since')} {item.since} UTC · {say('column.who')}: {item.who}", style="dim")
    )
    lines.append(Text("  → " + item.todo))
    return Group(*lines)


def _rows(items: tuple[Item, ...]) -> Padding:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for item in items:
        style = _STYLES[item.finding.severity.value]
        table.add_row(Text(item.severity, style=style), Text(item.title), Text(item.place, style="dim"))
    return Padding(table, (0, 0, 0, 2))


def _sources(shown: View) -> Padding:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for row in shown.sources[:_ROWS]:
        table.add_row(Text(row.resource), Text(f"{row.verdict}  {row.paths}"), Text(row.place, style="dim"))
    return Padding(table, (0, 0, 0, 2))


def _gaps(shown: View) -> Padding:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for gap in shown.gaps[:_ROWS]:
        action = f" ({gap.action})" if gap.action else ""
        detail = Text.assemble(gap.detail + action, (f"  {gap.affected}" if gap.affected else "", "dim"))
        table.add_row(
            Text(gap.reason, style="yellow"), Text(gap.place, style="dim"), detail, Text(f"×{gap.count}")
        )
    return Padding(table, (0, 0, 0, 2))
