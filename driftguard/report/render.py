"""Choosing a format and applying it."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from driftguard.errors import InputError
from driftguard.model import Report
from driftguard.report import formats as _formats
from driftguard.report.options import Options


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
    result: bytes | str = format_module(format).render(report, options)
    return result
