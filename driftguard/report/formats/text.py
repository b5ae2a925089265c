"""Text for a terminal: what is new, by resource and in a few lines each; counts and pointers for the rest."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Sequence

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
_BLOCKS = 10
"""How many resources of one severity are shown."""
_LINES = 4
"""How many findings of one resource are shown."""
_ROWS = 10
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
        console.print(part)
    # The console fills lines up to its width; nobody needs those blanks.
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _parts(report: Report, shown: View, verbose: bool) -> Iterable[RenderableType]:
    say = shown.text
    most = _VERBOSE if verbose else _ROWS
    yield Text(shown.headline[0], style=_TONES[shown.tone])
    if len(shown.headline) > 1:
        yield Text(" ".join(shown.headline[1:]))
    yield Text("")
    yield Text("   ".join(f"{tile.label}: {tile.value} ({tile.note})" for tile in shown.tiles), style="dim")
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


def _heading(title: str, count: int) -> Text:
    return Text.assemble("\n", (title, "bold"), (f" ({count})", "dim"))


def _counts(items: Sequence[Item]) -> str:
    counts = Counter(item.severity for item in items)
    return ", ".join(f"{severity} {count}" for severity, count in counts.items())


def _causes(shown: View, most: int) -> Group:
    lines: list[RenderableType] = []
    for row in shown.causes[:most]:
        severity = (row.severity.ljust(9), _STYLES[row.cause.severity.value])
        lines.append(Text.assemble("  ", severity, " ", (row.title, "bold"), (f"  {row.kind}", "dim")))
        who = f" · {row.who}" if row.cause.changed_by else ""
        lines.append(Text(f"            {row.affects}{who}", style="dim"))
    if len(shown.causes) > most:
        more = shown.text("compact.more", count=len(shown.causes) - most, command=_ALL)
        lines.append(Text("  " + more, style="dim"))
    return Group(*lines)


def _blocks(items: Sequence[Item], shown: View, verbose: bool) -> Iterable[RenderableType]:
    """Findings by resource, the worst resource first; at most some of each severity."""
    by_resource: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        by_resource.setdefault((item.place, item.resource), []).append(item)
    said: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for listed in by_resource.values():
        severity = listed[0].severity
        if said[severity] >= (_VERBOSE if verbose else _BLOCKS):
            left[severity] += len(listed)
            continue
        said[severity] += 1
        yield Padding(_block(listed, shown, verbose), (1, 0, 0, 2))
    if left:
        yield Text("")
    for severity, count in left.items():
        more = shown.text("compact.more", count=count, command=_NEW)
        yield Text(f"  {severity}: {more}", style="dim")


def _block(items: Sequence[Item], shown: View, verbose: bool) -> Group:
    """One resource: what it is and where, a line for each finding, then who and what to do once each."""
    say, worst, most = shown.text, items[0], _VERBOSE if verbose else _LINES
    style = _STYLES[worst.finding.severity.value]
    lines: list[RenderableType] = [
        Text.assemble(
            (worst.severity.ljust(9), style), " ", (worst.resource, "bold"), (f"  {worst.place}", "dim")
        ),
    ]
    for item in items[:most]:
        lines += _finding(item, shown)
    if len(items) > most:
        lines.append(Text("  " + say("elements.more", count=len(items) - most), style="dim"))
    known = dict.fromkeys((item.who_label, item.who) for item in items if item.known_who)
    for label, who in known or [(worst.who_label, worst.who)]:
        since = say("compact.since", since=worst.since)
        lines.append(Text(f"  {label}: {who} · {since}", style="dim"))
    lines.append(Text("  → " + worst.brief))
    return Group(*lines)


def _finding(item: Item, shown: View) -> Iterable[Text]:
    said = shown.text("badge.new")  # the heading says it
    badges = [(f"  [{badge}]", "dim") for badge in item.badges if badge != said]
    if not item.changes:
        title = item.title
        if item.finding.kind.value == "COMPLIANCE":
            title = shown.text("compact.fails", title=item.rule)
        yield Text.assemble("  ", title, *badges)
        if item.finding.kind.value == "COMPLIANCE" and item.finding.message:
            yield Text(f"    {item.finding.message}", style="dim")
        return
    for change in item.changes[:2]:
        yield Text.assemble(
            f"  {change.path}: ", (change.before, "green"), " → ", (change.after, "red"), *badges
        )
        badges = []
    more = item.more_changes + max(0, len(item.changes) - 2)
    if more:
        yield Text("  " + shown.text("elements.more", count=more), style="dim")


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
    yield Text("  " + " · ".join(f"{label} {count}" for label, count in shown.coverage))
    if shown.gaps:
        yield _gaps(shown, most)
        if len(shown.gaps) > most:
            more = say("compact.more", count=len(shown.gaps) - most, command=_ALL)
            yield Text("  " + more, style="dim")
    elif report.outcome.value == "COMPLETE":
        yield Text("  " + say("empty.gaps"), style="dim")
    else:
        yield Text("  " + say("headline.partial_none"), style="yellow")


def _gaps(shown: View, most: int) -> Padding:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for gap in shown.gaps[:most]:
        action = f" ({gap.action})" if gap.action else ""
        detail = Text.assemble(gap.detail + action, (f"  {gap.affected}" if gap.affected else "", "dim"))
        table.add_row(
            Text(gap.reason, style="yellow"), Text(gap.place, style="dim"), detail, Text(f"×{gap.count}")
        )
    return Padding(table, (0, 0, 0, 2))
