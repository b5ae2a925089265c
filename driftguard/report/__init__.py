"""Reports: a run's verdict in the form that its reader needs.

A format is a module of `driftguard.report.formats` with ``MEDIA_TYPE``, ``SUFFIX`` and
``render(report, options) -> str | bytes``; nothing else has to be edited to add one.
"""

from driftguard.report.render import formats, render, render_with

__all__ = ["formats", "render", "render_with"]
