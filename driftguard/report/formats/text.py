"""Text for a terminal: what is new, by resource and in a few lines each; counts and pointers for the rest."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from driftguard.model import Report
from driftguard.model.markup import visible
from driftguard.report.options import Options
from driftguard.report.view import Item, View, by_resource, view

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
_BLOCKS = 10
"""How many resources of one severity are shown."""
_LINES = 4
"""How many findings of one resource are shown."""
_ROWS = 10
_SHORT = 70
"""Up to this many characters a change stands behind its property, and below it otherwise."""
_VERBOSE = 10_000
_NEW = "driftguard drift, driftguard compliance"
_ALL = "driftguard report --verbose"


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
    for part in _parts(report, shown, options.verbose):
        console.print(_Tame(part))
    # The console fills lines up to its width; nobody needs those blanks.
    return "\n".join(line.rstrip() for line in out.getvalue().removesuffix("\n").split("\n")) + "\n"


class _Tame:
    """A part of the report, in which only the console itself commands the terminal: all texts end up here."""

    def __init__(self, part: RenderableType) -> None:
        self._part = part

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._part, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def _parts(report: Report, shown: View, verbose: bool) -> Iterable[RenderableType]:
    say = shown.text
    most = _VERBOSE if verbose else _ROWS
    yield Text(shown.headline[0], style=_TONES[shown.tone])
    if len(shown.headline) > 1:
        yield Text(" ".join(shown.headline[1:]))
    yield Text("")
    yield _tiles(shown)
    if shown.causes:
        yield _heading(say("section.causes"), len(shown.causes))
        yield _causes(shown, most)
    if shown.new:
        yield _heading(say("section.new"), len(shown.new))
        yield from _blocks(shown.new, shown, verbose)
    if shown.still:
        yield _heading(say("section.open"), len(shown.still))
        if verbose:
            yield from _blocks(shown.still, shown, verbose)
        else:
            yield Text("  " + say("compact.open", counts=_counts(shown.still), command=_ALL))
            carried = sum(say("badge.carried") in item.badges for item in shown.still)
            if carried:
                yield Text(f"  {say('badge.carried')}: {carried}", style="yellow")
    for title, items in (("section.resolved", shown.resolved), ("section.accepted", shown.accepted)):
        if items:
            yield _heading(say(title), len(items))
            yield _rows(items[:most])
            if len(items) > most:
                yield Text("  " + say("compact.resolved", count=len(items)), style="dim")
    yield from _sources(report, shown, most)
    yield from _coverage(report, shown, most)
    if report.notes:
        yield _heading(say("section.remarks"), len(report.notes))
        for note in report.notes[:most]:
            yield Text("  " + note)
        if len(report.notes) > most:
            more = say("compact.more", count=len(report.notes) - most, command=_ALL)
            yield Text("  " + more, style="dim")


def _tiles(shown: View) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for tile in shown.tiles:
        table.add_row(Text(tile.label), Text(tile.value, style="bold"), Text(tile.note, style="dim"))
    return table


def _hanging(first: RenderableType, rest: RenderableType, width: int) -> Table:
    """``rest`` beside ``first``; lines that are too long go on below ``rest``, not below ``first``."""
    table = Table.grid(padding=(0, 1, 0, 0), expand=False)
    table.add_column(min_width=width, no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(first, rest)
    return table


def _severity(word: str, severity: str, shown: View) -> tuple[Text, int]:
    """The word of a severity, and the width of the widest that is shown, so that rows line up."""
    width = max((len(label) for _, label, count in shown.by_severity if count), default=8)
    return Text(f"  {word}", style=_STYLES[severity]), max(width, len(word)) + 3


def _heading(title: str, count: int) -> Text:
    return Text.assemble("\n", (title, "bold"), (f" ({count})", "dim"))


def _counts(items: Sequence[Item]) -> str:
    counts = Counter(item.severity for item in items)
    return ", ".join(f"{severity} {count}" for severity, count in counts.items())


def _causes(shown: View, most: int) -> Group:
    lines: list[RenderableType] = []
    for row in shown.causes[:most]:
        said = Text.assemble((row.title, "bold"), (f"  {row.kind}", "dim"), "\n")
        who = row.way if row.cause.kind == "SESSION" else row.who
        said.append(row.affects + (f" · {who}" if row.cause.changed_by else ""), style="dim")
        said.append(f"\n→ {row.todo}")
        severity, width = _severity(row.severity, row.cause.severity.value, shown)
        lines.append(_hanging(severity, said, width))
    if len(shown.causes) > most:
        more = shown.text("compact.more", count=len(shown.causes) - most, command=_ALL)
        lines.append(Text("  " + more, style="dim"))
    return Group(*lines)


def _blocks(items: Sequence[Item], shown: View, verbose: bool) -> Iterable[RenderableType]:
    """Findings by resource, the worst resource first; at most some of each severity."""
    said: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for listed in by_resource(items):
        severity = listed[0].severity
        if said[severity] >= (_VERBOSE if verbose else _BLOCKS):
            left[severity] += len(listed)
            continue
        said[severity] += 1
        yield Padding(_block(listed, shown, verbose), (1, 0, 0, 0))
    if left:
        yield Text("")
    for severity, count in left.items():
        more = shown.text("compact.more", count=count, command=_NEW)
        yield Text(f"  {severity}: {more}", style="dim")


def _block(items: Sequence[Item], shown: View, verbose: bool) -> Table:
    """One resource: what it is and where, a line for each finding, then who and what to do once each."""
    say, worst, most = shown.text, items[0], _VERBOSE if verbose else _LINES
    lines: list[RenderableType] = [Text(worst.resource, style="bold"), Text(worst.place, style="dim")]
    for item in items[:most]:
        lines += _finding(item, shown)
    if len(items) > most:
        lines.append(Text(say("elements.more", count=len(items) - most), style="dim"))
    known = dict.fromkeys((item.who_label, item.who) for item in items if item.known_who)
    old = "" if say("badge.new") in worst.badges else f" · {say('compact.since', since=worst.since)}"
    for label, who in known or [(worst.who_label, worst.who)]:
        lines.append(Text(f"{label}: {who}{old}", style="dim"))
    lines.append(Text("→ " + worst.brief))
    severity, width = _severity(worst.severity, worst.finding.severity.value, shown)
    return _hanging(severity, Group(*lines), width)


def _finding(item: Item, shown: View) -> Iterable[RenderableType]:
    said = shown.text("badge.new")  # the heading says it
    badges = [(f"  [{badge}]", "dim") for badge in item.badges if badge != said]
    if not item.changes:
        if item.finding.kind.value != "COMPLIANCE":
            yield Text.assemble(item.title, *badges)
            return
        yield Text.assemble(shown.text("compact.fails", title=item.rule), *badges)
        if item.message:
            yield Padding(Text(item.message, style="dim"), (0, 0, 0, 2))
        return
    for change in item.changes[:2]:
        path = Text(f"{change.path}:")
        values = Text.assemble((change.before, "green"), " → ", (change.after, "red"), *badges)
        short = len(path) + len(values) <= _SHORT
        yield Text.assemble(path, " ", values) if short else Group(path, Padding(values, (0, 0, 0, 2)))
        badges = []
    more = item.more_changes + max(0, len(item.changes) - 2)
    if more:
        yield Text(shown.text("elements.more", count=more), style="dim")


def _rows(items: Sequence[Item]) -> Padding:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for item in items:
        style = _STYLES[item.finding.severity.value]
        table.add_row(Text(item.severity, style=style), Text(item.title), Text(item.place, style="dim"))
    return Padding(table, (0, 0, 0, 2))


def _sources(report: Report, shown: View, most: int) -> Iterable[RenderableType]:
    say = shown.text
    if shown.sources:
        yield _heading(say("section.three_way"), len(shown.sources))
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for row in shown.sources[:most]:
            table.add_row(
                Text(row.resource), Text(f"{row.verdict}  {row.paths}"), Text(row.place, style="dim")
            )
        yield Padding(table, (0, 0, 0, 2))
        if len(shown.sources) > most:
            more = say("compact.more", count=len(shown.sources) - most, command=_ALL)
            yield Text("  " + more, style="dim")
    if report.unmatched_templates:
        yield _heading(say("section.unmatched"), len(report.unmatched_templates))
        yield from (Text(f"  {file}", style="dim") for file in report.unmatched_templates[:most])


def _coverage(report: Report, shown: View, most: int) -> Iterable[RenderableType]:
    say = shown.text
    yield _heading(say("section.coverage"), len(report.gaps))
    counts = [row for number, row in enumerate(shown.coverage) if row[1] or number == 0]
    yield Text("  " + " · ".join(f"{label} {count}" for label, count in counts))
    if shown.gaps:
        yield _gaps(shown, most)
        if len(shown.gaps) > most:
            more = say("compact.more", count=len(shown.gaps) - most, command=_ALL)
            yield Text("  " + more, style="dim")
    elif report.outcome.value == "COMPLETE":
        yield Text("  " + say("empty.gaps"), style="dim")
    else:
        yield Text("  " + say("headline.partial_none"), style="yellow")


def _gaps(shown: View, most: int) -> Group:
    lines: list[RenderableType] = []
    for gap in shown.gaps[:most]:
        head = Text.assemble("  ", (gap.reason, "yellow"), f"  {gap.place}" if gap.place else "")
        head.append(f"  ×{gap.count}" if gap.count > 1 else "", style="dim")
        action = f" ({gap.action})" if gap.action else ""
        detail = Text.assemble(gap.detail + action)
        if gap.affected and gap.affected not in gap.detail:
            detail.append(f"  {gap.affected}", style="dim")
        lines += [head, Padding(detail, (0, 0, 0, 6))]
    return Group(*lines)
