"""One HTML file that stands alone: prints well, light and dark, no script, nothing fetched."""

from __future__ import annotations

from functools import cache
from importlib import resources

import jinja2

from driftguard import __version__
from driftguard.model import Report
from driftguard.model.markup import visible
from driftguard.report.charts import charts
from driftguard.report.options import Options
from driftguard.report.view import by_resource, percent, view

MEDIA_TYPE = "text/html; charset=utf-8"
SUFFIX = ".html"
_CARDS = 200
"""How many resources of a section get a card of their own; the findings of the rest are rows."""
_MOST = 5_000
_CAUSES = 20


@cache
def _template() -> tuple[jinja2.Template, str]:
    folder = resources.files("driftguard.report") / "templates"
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    source = (folder / "report.html.j2").read_text(encoding="utf-8")
    css = (folder / "report.css").read_text(encoding="utf-8").strip()
    return environment.from_string(source), css


def render(report: Report, options: Options) -> str:
    """``report`` as a stand-alone page."""
    shown = view(report, options)
    template, css = _template()
    finished = report.run.finished_at or options.at
    return template.render(
        report=report,
        view=shown,
        say=shown.text,
        css=css,
        charts=charts(options.trends, shown.text),
        version=__version__,
        organization=options.organization,
        finished=f"{finished:%Y-%m-%d %H:%M}",
        percent=percent,
        by_resource=by_resource,
        limit=_CARDS,
        most=_MOST,
        causes_most=_CAUSES,
    )
