"""Markdown, for pull requests and chat."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from driftguard.model import Report
from driftguard.model.markup import Markdown, cell, code
from driftguard.report.options import Options
from driftguard.report.view import Item, Tile, View, percent, view

MEDIA_TYPE = "text/markdown; charset=utf-8"
SUFFIX = ".md"
_MOST = 200
_CAUSES = 20


def render(report: Report, options: Options) -> str:
    """``report`` as Markdown (GitHub's tables)."""
    shown = view(report, options)
    say = shown.text
    finished = report.run.finished_at or options.at
    lines = [
        f"# {say('title')}",
        "",
        say("subtitle", run=report.run.id, finished=f"{finished:%Y-%m-%d %H:%M}"),
        "",
        f"**{shown.headline[0]}** {' '.join(shown.headline[1:])}".strip(),
        "",
        *_table([tile.label for tile in shown.tiles], [[_tile(t) for t in shown.tiles]]),
    ]
    lines += _causes(shown)
    sections = (("section.new", shown.new, "empty.new"), ("section.open", shown.still, "empty.open"))
    for title, items, empty in sections:
        lines += ["", f"## {say(title)} ({len(items)})", ""]
        lines += (
            [say(empty)] if not items else [line for item in items[:_MOST] for line in _item(item, shown)]
        )
        lines += ["", say("more", count=len(items) - _MOST)] if len(items) > _MOST else []
    lines += ["", f"## {say('section.resolved')} ({len(shown.resolved)})", ""]
    lines += [f"- {cell(item.title)} ({cell(item.place)})" for item in shown.resolved[:_MOST]] or [
        say("empty.resolved")
    ]
    lines += _coverage(report, shown)
    if report.notes:
        lines += ["", f"## {say('section.remarks')} ({len(report.notes)})", ""]
        lines += [f"- {cell(note)}" for note in report.notes[:_MOST]]
    lines += _rest(shown)
    return "\n".join(lines) + "\n"


def _causes(shown: View) -> Iterable[str]:
    say = shown.text
    if not shown.causes:
        return
    yield from ("", f"## {say('section.causes')} ({len(shown.causes)})", "")
    header = [say(f"column.{name}") for name in ("severity", "reason", "who", "affected")]
    rows = [
        [row.severity, f"{row.title} ({row.kind})", row.who, row.affects] for row in shown.causes[:_CAUSES]
    ]
    yield from _table(header, rows)
    if len(shown.causes) > _CAUSES:
        yield from ("", say("more", count=len(shown.causes) - _CAUSES))


def _item(item: Item, shown: View) -> Iterable[str]:
    say = shown.text
    badges = "".join(f" `{badge}`" for badge in item.badges)
    yield f"### {item.severity}: {cell(item.title)}{badges}"
    yield ""
    yield f"{cell(item.resource)}  "
    yield f"{cell(item.place)} · {say('column.since')} {item.since} UTC · {item.who_label}: {cell(item.who)}"
    yield ""
    if item.changes:
        rows = [[code(c.path), code(c.before), code(c.after)] for c in item.changes]
        yield from _table([say("column.property"), item.before_label, say("column.actual")], rows)
        yield ""
    elif item.message:
        yield cell(item.message)
        yield ""
    yield f"{say('column.todo')}: {cell(item.todo)}"
    yield ""


def _coverage(report: Report, shown: View) -> Iterable[str]:
    say = shown.text
    yield from ("", f"## {say('section.coverage')} ({len(report.gaps)})", "")
    yield " · ".join(f"{label} {count}" for label, count in shown.coverage)
    yield ""
    if not shown.gaps:
        yield say("empty.gaps") if report.outcome.value == "COMPLETE" else say("headline.partial_none")
        return
    header = [say(f"column.{name}") for name in ("reason", "where", "detail", "action", "count")]
    rows = [
        [g.reason, g.place, f"{g.detail} {g.affected}".strip(), code(g.action), str(g.count)]
        for g in shown.gaps
    ]
    yield from _table(header, rows[:_MOST])


def _rest(shown: View) -> Iterable[str]:
    say = shown.text
    if shown.sources:
        yield from ("", f"## {say('section.three_way')} ({len(shown.sources)})", "")
        header = [say(f"column.{name}") for name in ("resource", "detail", "not_deployed", "file")]
        sources = [[f"{s.resource} ({s.place})", s.verdict, s.paths, s.file] for s in shown.sources[:_MOST]]
        yield from _table(header, sources)
    if shown.accepted:
        yield from ("", f"## {say('section.accepted')} ({len(shown.accepted)})", "")
        for item in shown.accepted[:_MOST]:
            yield f"- {item.severity}: {cell(item.title)} ({say('column.waiver')} {cell(item.finding.waiver or '–')})"
    if shown.frameworks:
        yield from ("", f"## {say('section.frameworks')}", "")
        header = [
            say("column.framework"),
            say("tile.compliance"),
            *(say(f"column.{n}") for n in ("compliant", "failed", "unknown")),
        ]
        yield from _table(
            header,
            [
                [name, percent(one.compliant, one.judged), *map(str, (one.compliant, one.failed, one.untold))]
                for name, one in shown.frameworks.items()
            ],
        )


def _tile(tile: Tile) -> Markdown:
    return Markdown(f"**{cell(tile.value)}** {cell(tile.note)}")


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in rows]
    return lines
