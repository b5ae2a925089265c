"""Trend pictures as inline SVG: small, quiet, readable without colour, described in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from driftguard.model.trend import TrendPoint
from driftguard.report.messages import Messages

_WIDTH, _HEIGHT = 360, 96
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 10, 10, 20
_SERIES = ("a", "b", "c", "d", "e")


@dataclass(frozen=True, slots=True)
class Series:
    """One line: its name and its values over time (``None``: unknown then)."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    svg: str
    legend: tuple[tuple[str, str], ...] = ()
    """(class of the line, its name) where there are several."""


def charts(points: Sequence[TrendPoint], say: Messages) -> tuple[Chart, ...]:
    """The pictures that ``points`` (oldest first) allow; none from fewer than two points."""
    if len(points) < 2:
        return ()
    times = [point.at for point in points]
    names = sorted({name for point in points for name in point.compliance})
    latest = points[-1].compliance
    names.sort(key=lambda name: latest.get(name, 101.0))
    plans: list[tuple[str, list[Series], float | None]] = [
        (say("trend.open"), [Series("", tuple(float(sum(p.open.values())) for p in points))], None),
        (say("trend.age"), [Series("", tuple(p.mean_hours_in_drift for p in points))], None),
        (
            say("trend.compliance"),
            [Series(name, tuple(p.compliance.get(name) for p in points)) for name in names[: len(_SERIES)]],
            100.0,
        ),
        (say("trend.coverage"), [Series("", tuple(p.coverage for p in points))], 100.0),
    ]
    result = []
    for title, series, ceiling in plans:
        kept = [line for line in series if any(value is not None for value in line.values)]
        if kept:
            legend = tuple((_SERIES[i], line.name) for i, line in enumerate(kept)) if kept[0].name else ()
            result.append(Chart(title, _svg(title, kept, times, ceiling, say), legend))
    return tuple(result)


def _svg(
    title: str, series: list[Series], times: list[datetime], ceiling: float | None, say: Messages
) -> str:
    known = [value for line in series for value in line.values if value is not None]
    top = ceiling or _nice(max(known))
    start, span = times[0], (times[-1] - times[0]).total_seconds() or 1.0

    def x(moment: datetime) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (moment - start).total_seconds() / span

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * min(value, top) / top

    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(_words(title, series, times, say))}">'
    ]
    for value in (0.0, top / 2, top):
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
        )
        parts.append(
            f'<text class="tick" x="{_LEFT - 6}" y="{y(value) + 3:.1f}" text-anchor="end">{value:g}</text>'
        )
    ends = ((times[0], "start"), (times[-1], "end"))
    parts += [
        f'<text class="tick" x="{x(moment):.1f}" y="{_HEIGHT - 5}" text-anchor="{anchor}">{moment:%Y-%m-%d}</text>'
        for moment, anchor in ends
    ]
    for index, line in enumerate(series):
        pairs = [(x(t), y(v)) for t, v in zip(times, line.values, strict=True) if v is not None]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in pairs)
        if index == 0 and len(series) == 1:
            base = _HEIGHT - _BOTTOM
            parts.append(
                f'<polygon class="area" points="{pairs[0][0]:.1f},{base} {path} {pairs[-1][0]:.1f},{base}"/>'
            )
        parts.append(f'<polyline class="line {_SERIES[index]}" points="{path}"/>')
        parts.append(
            f'<circle class="dot {_SERIES[index]}" cx="{pairs[-1][0]:.1f}" cy="{pairs[-1][1]:.1f}" r="2.6"/>'
        )
    return "".join([*parts, "</svg>"])


def _words(title: str, series: list[Series], times: list[datetime], say: Messages) -> str:
    """The picture in a sentence a line, for who cannot see it."""
    sentences = []
    for line in series:
        values = [value for value in line.values if value is not None]
        sentences.append(
            say(
                "trend.describe",
                name=line.name or title,
                first=f"{values[0]:.4g}",
                last=f"{values[-1]:.4g}",
                most=f"{max(values):.4g}",
                start=f"{times[0]:%Y-%m-%d}",
                end=f"{times[-1]:%Y-%m-%d}",
            )
        )
    return " ".join(sentences)


def _nice(value: float) -> float:
    """The next round number."""
    if value <= 4:
        return 4.0
    scale = 10.0 ** (len(str(int(value))) - 1)
    return next(step * scale for step in (1, 2, 4, 6, 8, 10) if step * scale >= value)
