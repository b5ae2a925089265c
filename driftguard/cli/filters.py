"""The filters that every list command shares, turned into a store query."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from driftguard.cli.vocabulary import KINDS, SEVERITIES, STATUSES, Names, listed, words
from driftguard.errors import InputError

if TYPE_CHECKING:
    from driftguard.history.port import Page, Query

F = TypeVar("F", bound=Callable[..., Any])

_FIELDS = (
    "accounts",
    "regions",
    "types",
    "stacks",
    "severities",
    "kinds",
    "subjects",
    "statuses",
    "text",
    "at",
    "limit",
    "cursor",
)
_PLACES = (
    click.option("--account", "accounts", multiple=True, help="Account id; repeatable."),
    click.option("--region", "regions", multiple=True, help="Region; repeatable."),
)
_TYPE = click.option(
    "--type", "types", multiple=True, help="Resource type, such as AWS::S3::Bucket; repeatable."
)
_STACK = click.option("--stack", "stacks", multiple=True, help="Stack name; repeatable.")
_SEVERITY = click.option("--severity", "severities", multiple=True, help=f"{listed(SEVERITIES)}; repeatable.")
_KIND = click.option("--kind", "kinds", multiple=True, help=f"{listed(KINDS)}; repeatable.")
_POLICY = click.option(
    "--policy", "subjects", multiple=True, help="Policy id; wildcards allowed, repeatable."
)
_PAGES = (
    click.option("--search", "text", default="", help="Text in names, identifiers and tags."),
    click.option(
        "--at", "at", default=None, metavar="TIME", help="As of a moment: 2026-09-30 or 2026-09-30T02:00Z."
    ),
    click.option(
        "--limit", default=200, show_default=True, type=click.IntRange(1, 10_000), help="Rows a page."
    ),
    click.option("--cursor", default=None, help="The next page, as the last one named it."),
)


def list_options(
    of: str,
    *,
    types: bool = True,
    severities: bool = False,
    kinds: bool = False,
    policies: bool = False,
    verdict: bool = False,
) -> Callable[[F], F]:
    """Give a command the filters that mean something to its list; it receives them as one `Query` named ``query``.

    ``of`` names the list, and so its statuses, if it has any.  A name that there is not is an `InputError`, since
    an empty list would read as "nothing is wrong"; with ``verdict`` so is a moment at which no scan had looked.
    """
    statuses = STATUSES.get(of, ())
    options = [*_PLACES, *([_TYPE] if types else []), _STACK]
    options += [_SEVERITY] * severities + [_KIND] * kinds + [_POLICY] * policies
    if statuses:
        options.append(
            click.option("--status", "statuses", multiple=True, help=f"{listed(statuses)}; repeatable.")
        )
    options += _PAGES

    def give(command: F) -> F:
        @functools.wraps(command)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            given = {name: kwargs.pop(name) for name in _FIELDS if name in kwargs}
            return command(*args, query=_query(given, statuses, verdict), **kwargs)

        for option in reversed(options):
            wrapped = option(wrapped)
        return wrapped  # type: ignore[return-value]  # functools.wraps keeps the signature that click reads

    return give


def _query(given: dict[str, Any], statuses: tuple[str, ...], verdict: bool) -> Query:
    """The query, every name in it held against those that there are."""
    from driftguard.cli.app import App
    from driftguard.history.port import Query
    from driftguard.wiring import Wiring

    for field, what, known in (
        ("severities", "severity", SEVERITIES),
        ("kinds", "kind", KINDS),
        ("statuses", "status", statuses),
    ):
        if field in given:
            given[field] = words(what, given[field], known)
    query = Query(**given | {"at": moment(given["at"])})
    app = click.get_current_context().find_object(App)
    assert app is not None
    with Wiring(app.settings, existing=True) as wiring:
        names = Names(wiring)
        if verdict:
            names.looked_at(query.at)
        return names.checked(query, judged=verdict)


def moment(text: str | None, *, start: bool = False) -> datetime | None:
    """A moment a person wrote, as UTC; a bare date means its end (so that ``--at`` a day includes it), or its
    ``start``."""
    if not text:
        return None
    try:
        value = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise InputError(
            f"{text!r} is not a time.", fix="Write 2026-09-30 or 2026-09-30T02:00:00+09:00."
        ) from None
    # 2026-09-30, 20260930, 2026-W40-3: a day, with no time of day behind it.
    if not start and _day(text):
        value = value.replace(hour=23, minute=59, second=59, microsecond=999_999)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def page_query(query: Query, **changes: Any) -> Query:
    """``query`` with some fields replaced."""
    import dataclasses

    return dataclasses.replace(query, **changes)


def anywhere(ask: Callable[[Query], Page[Any]], query: Query, *bad: str) -> bool:
    """Whether what was asked for holds a row of a ``bad`` status (the first stands for all), on any of its pages."""
    from driftguard.rules.globs import fits

    asked = query.statuses or bad[:1]
    wanted = tuple(one for one in bad if any(fits(glob, one) for glob in asked))
    return bool(wanted and ask(page_query(query, statuses=wanted, cursor=None, limit=1)).items)
