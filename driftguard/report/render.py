"""Choosing a format and applying it."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace
from types import ModuleType
from typing import Any

from driftguard.errors import InputError
from driftguard.model import Report
from driftguard.report import formats as _formats
from driftguard.report.options import Options
from driftguard.report.sentences import translated

_FOR_PEOPLE = frozenset({"html", "md", "pdf", "text"})
"""The formats that are read; programs compare the words of the others.  A reader's format adds itself."""


def formats() -> tuple[str, ...]:
    """The names of all formats."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(_formats.__path__)))


def format_module(name: str) -> ModuleType:
    """The module of a format, for its ``MEDIA_TYPE`` and ``SUFFIX``.  Raises `InputError` for an unknown one."""
    if name not in formats():
        raise InputError(f"there is no report format `{name}`.", fix=f"Known: {', '.join(formats())}.")
    return importlib.import_module(f"driftguard.report.formats.{name}")


def render(report: Report, format: str, lang: str = "en", **options: Any) -> bytes | str:
    """``report`` in ``format`` and ``lang`` (``en``, ``ko``); ``options`` are the fields of `Options`."""
    return render_with(report, format, Options(lang=lang, **options))


def render_with(report: Report, format: str, options: Options) -> bytes | str:
    """The same with prepared options."""
    module = format_module(format)
    told = _told(report, options.lang) if format in _FOR_PEOPLE else report
    result: bytes | str = module.render(told, options)
    return result


def _told(report: Report, lang: str) -> Report:
    """``report`` with the sentences that the run noted in English told in ``lang``."""
    return replace(
        report,
        notes=tuple(translated(note, lang) for note in report.notes),
        drifts=tuple(
            replace(drift, disagreement=translated(drift.disagreement, lang)) if drift.disagreement else drift
            for drift in report.drifts
        ),
    )
