"""PDF by reportlab (the ``pdf`` extra); Korean in a font that every PDF reader brings."""

from __future__ import annotations

import io
from collections.abc import Iterable
from html import escape
from itertools import groupby
from typing import Any

from driftguard import __version__
from driftguard.errors import InputError
from driftguard.model import Report
from driftguard.report.options import Options
from driftguard.report.view import Item, View, percent, view

MEDIA_TYPE = "application/pdf"
SUFFIX = ".pdf"
_CAUSES = 20
_MOST = 300
_COLORS = {
    "CRITICAL": "#8f1239",
    "HIGH": "#b3330d",
    "MEDIUM": "#8a5a00",
    "LOW": "#3c5a78",
    "INFORMATIONAL": "#57606a",
}
_KOREAN = "HYSMyeongJo-Medium"


def render(report: Report, options: Options) -> bytes:
    """``report`` on A4 pages.  Raises `InputError` without reportlab."""
    try:
        from reportlab.lib.pagesizes import A4
        from reportlab.platypus import SimpleDocTemplate
    except ImportError:
        raise InputError(
            "PDF needs the reportlab package.", fix="`pip install 'driftguard-aws[pdf]'`."
        ) from None
    shown = view(report, options)
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=50,
        rightMargin=50,
        topMargin=50,
        bottomMargin=50,
        title=f"{shown.text('title')} {report.run.id}",
        author="driftguard",
        lang=options.lang,
    )
    say = shown.text
    footer = say("footer", version=__version__, policies=report.run.policy_version or "–")
    styles = _Styles()

    def number(canvas: Any, doc: Any) -> None:
        canvas.saveState()
        canvas.setFont(styles.font(footer), 7)
        canvas.drawString(50, 30, footer[:130])
        canvas.drawRightString(A4[0] - 50, 30, str(doc.page))
        canvas.restoreState()

    document.build(list(_flow(report, shown, options, styles)), onFirstPage=number, onLaterPages=number)
    return out.getvalue()


class _Styles:
    """Paragraphs in Helvetica, or in the Korean font where the text needs it."""

    def __init__(self) -> None:
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.cidfonts import UnicodeCIDFont

        pdfmetrics.registerFont(UnicodeCIDFont(_KOREAN))

    @staticmethod
    def font(text: str, bold: bool = False) -> str:
        try:
            text.encode("cp1252")
        except UnicodeEncodeError:
            return _KOREAN
        return "Helvetica-Bold" if bold else "Helvetica"

    def paragraph(
        self, text: str, size: float = 9, *, color: str = "#1c2126", bold: bool = False, before: float = 0
    ) -> Any:
        from reportlab.lib.styles import ParagraphStyle
        from reportlab.platypus import Paragraph

        style = ParagraphStyle(
            "text",
            fontName=self.font(text, bold),
            fontSize=size,
            leading=size * 1.4,
            textColor=color,
            spaceBefore=before,
            splitLongWords=True,
            wordWrap="CJK" if self.font(text) == _KOREAN else None,
        )
        return Paragraph("".join(self._runs(text, bold)), style)

    def _runs(self, text: str, bold: bool) -> Iterable[str]:
        """``text`` with each run in a font that has its letters: the Korean one has no middle dot."""
        for _, run in groupby(text, key=lambda letter: letter.isspace() or self.font(letter) != _KOREAN):
            part = "".join(run)
            yield f'<font name="{self.font(part, bold)}">{escape(part)}</font>'


def _flow(report: Report, shown: View, options: Options, styles: _Styles) -> Iterable[Any]:
    from reportlab.platypus import Spacer

    say = shown.text
    finished = report.run.finished_at or options.at
    soft = "#57606a"
    yield styles.paragraph(say("title"), 10, color=soft, bold=True)
    yield styles.paragraph(
        say("subtitle", run=report.run.id, finished=f"{finished:%Y-%m-%d %H:%M}"), 8, color=soft
    )
    yield styles.paragraph(shown.headline[0], 17, bold=True, before=14)
    if len(shown.headline) > 1:
        yield styles.paragraph(" ".join(shown.headline[1:]), 10, color=soft, before=4)
    yield Spacer(1, 12)
    yield _table([[tile.label, tile.value, tile.note] for tile in shown.tiles], styles, (130, 70, 295))
    if shown.causes:
        yield _heading(f"{say('section.causes')} ({len(shown.causes)})", styles)
        causes = [
            [row.severity, f"{row.title} ({row.kind})", row.who, row.affects]
            for row in shown.causes[:_CAUSES]
        ]
        yield _table(causes, styles, (55, 150, 160, 130))
    for title, items, empty in (
        ("section.new", shown.new, "empty.new"),
        ("section.open", shown.still, "empty.open"),
        ("section.resolved", shown.resolved, "empty.resolved"),
    ):
        yield _heading(f"{say(title)} ({len(items)})", styles)
        if not items:
            yield styles.paragraph(say(empty), color=soft)
        for item in items[:_MOST]:
            yield from _card(item, shown, styles, brief=title == "section.resolved")
        if len(items) > _MOST:
            yield styles.paragraph(say("more", count=len(items) - _MOST), color=soft)
    yield from _rest(report, shown, styles)


def _rest(report: Report, shown: View, styles: _Styles) -> Iterable[Any]:
    say, soft = shown.text, "#57606a"
    yield _heading(f"{say('section.coverage')} ({len(report.gaps)})", styles)
    yield styles.paragraph(" · ".join(f"{label} {count}" for label, count in shown.coverage), color=soft)
    rows = [
        [g.reason, g.place, f"{g.detail} {g.action} {g.affected}".strip(), str(g.count)]
        for g in shown.gaps[:_MOST]
    ]
    if rows:
        yield _table(rows, styles, (110, 120, 235, 30))
    if report.notes:
        yield _heading(f"{say('section.remarks')} ({len(report.notes)})", styles)
        for note in report.notes[:_MOST]:
            yield styles.paragraph(note)
    if shown.accepted:
        yield _heading(f"{say('section.accepted')} ({len(shown.accepted)})", styles)
        accepted = [[i.severity, i.title, i.place, i.finding.waiver or "–"] for i in shown.accepted[:_MOST]]
        yield _table(accepted, styles, (60, 200, 155, 80))
    if shown.frameworks:
        yield _heading(say("section.frameworks"), styles)
        header = [
            say("column.framework"),
            say("tile.compliance"),
            *(say(f"column.{n}") for n in ("compliant", "failed", "unknown")),
        ]
        numbers = [
            [name, percent(one.compliant, one.judged), *map(str, (one.compliant, one.failed, one.untold))]
            for name, one in shown.frameworks.items()
        ]
        yield _table([header, *numbers], styles, (195, 75, 75, 75, 75))


def _heading(text: str, styles: _Styles) -> Any:
    return styles.paragraph(text, 12, bold=True, before=16)


def _card(item: Item, shown: View, styles: _Styles, *, brief: bool) -> Iterable[Any]:
    say, soft = shown.text, "#57606a"
    color = _COLORS[item.finding.severity.value]
    badges = "".join(f" [{badge}]" for badge in item.badges)
    yield styles.paragraph(f"{item.severity} · {item.title}{badges}", 9.5, color=color, bold=True, before=8)
    yield styles.paragraph(f"{item.resource} · {item.place}", 8, color=soft)
    if brief:
        return
    for change in item.changes:
        text = (
            f"{change.path} · {item.before_label}: {change.before} · {say('column.actual')}: {change.after}"
        )
        yield styles.paragraph(text, 8.5)
    if not item.changes and item.message and item.finding.kind.value == "COMPLIANCE":
        yield styles.paragraph(item.message, 8.5)
    yield styles.paragraph(
        f"{say('column.since')} {item.since} UTC · {item.who_label}: {item.who}", 8, color=soft
    )
    yield styles.paragraph(item.todo, 8.5)


def _table(rows: list[list[str]], styles: _Styles, widths: tuple[int, ...]) -> Any:
    from reportlab.lib import colors
    from reportlab.platypus import Table

    cells = [[styles.paragraph(text, 8.5) for text in row] for row in rows]
    rule = ("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.HexColor("#e3e4e0"))
    return Table(
        cells, colWidths=list(widths), style=[rule, ("VALIGN", (0, 0), (-1, -1), "TOP")], hAlign="LEFT"
    )
