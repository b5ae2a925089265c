"""Filters of the templates: values, times and commands as a person reads them, in the page's language."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from driftguard.model import ChangedBy
from driftguard.model.phrase import phrase
from driftguard.model.remediation import Change, Execution
from driftguard.report.causes import act
from driftguard.report.people import person
from driftguard.report.sentences import translated
from driftguard.report.view import shown

_TICKS = re.compile(r"`([^`]+)`")
_COMMAND = re.compile(r"driftguard [a-z-]+(?: [a-z-]+)? \S*\w")
_MARK = re.compile(r"<[^<>{}]+>")
_SHORT = timedelta(seconds=90)


def time(at: datetime | None) -> str:
    """An instant, always with its zone: whoever reads it may sit anywhere."""
    return "–" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def day(at: datetime | None) -> str:
    return "–" if at is None else f"{at.astimezone(UTC):%Y-%m-%d}"


def ticks(text: str) -> Markup:
    """Text in which `backticks` hold code."""
    return Markup(_TICKS.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704  # escaped before


def commands(text: str) -> Markup:
    """Text in which our own commands stand out, so that they are copied without the sentence around them."""
    return Markup(_COMMAND.sub(r"<code>\g<0></code>", str(escape(text))))  # noqa: S704  # escaped before


def pairs(values: Mapping[str, Any]) -> str:
    """A record as words."""
    return " · ".join(f"{name}: {phrase(value)}" for name, value in values.items())


def tally(executions: Iterable[Execution]) -> list[tuple[str, int]]:
    """How many steps ended how."""
    return list(Counter(one.status.value for one in executions).items())


@pass_context
def sentence(context: Context, text: str) -> str:
    """A sentence that the code wrote, in the page's language where it has that sentence."""
    return translated(text, context["lang"])


@pass_context
def done_by(context: Context, by: ChangedBy) -> str:
    return act(by, context["say"])


@pass_context
def took(context: Context, span: timedelta) -> str:
    seconds = round(span.total_seconds())
    if span < _SHORT:
        return str(context["say"]("took.seconds", count=seconds))
    return str(context["say"]("took.minutes", minutes=seconds // 60, seconds=seconds % 60))


@pass_context
def planned(context: Context, value: Any) -> str:
    """A value of a plan: the marks that stand for "nothing" or "only CloudFormation knows" as words."""
    if value is None or value == "<absent>":
        return str(context["say"]("absent"))
    if isinstance(value, str) and _MARK.fullmatch(value):
        return f"({value[1:-1]})"
    return shown(value)


def rows(changes: Iterable[Change]) -> list[tuple[str, Any, Any]]:
    """(path, before, after) of each change; a whole resource that is made is told property by property."""
    found: list[tuple[str, Any, Any]] = []
    for one in changes:
        if not one.path and isinstance(one.after, Mapping):
            found += [(f"/{name}", one.before, value) for name, value in one.after.items()]
        else:
            found.append((one.path, one.before, one.after))
    return found


FILTERS: dict[str, Callable[..., Any]] = {
    "time": time,
    "day": day,
    "ticks": ticks,
    "commands": commands,
    "pairs": pairs,
    "tally": tally,
    "sentence": sentence,
    "act": done_by,
    "took": took,
    "planned": planned,
    "rows": rows,
    "person": person,
    "quoted": shlex.quote,
    "value": shown,
    "number": "{:,}".format,
}
