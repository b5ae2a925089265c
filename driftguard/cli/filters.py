"""The filters that every list command shares, turned into a store query."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from driftguard.errors import InputError

if TYPE_CHECKING:
    from driftguard.history.port import Query

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--account", "accounts", multiple=True, help="Account id; repeatable."),
    click.option("--region", "regions", multiple=True, help="Region; repeatable."),
    click.option(
        "--type", "types", multiple=True, help="Resource type, such as AWS::S3::Bucket; repeatable."
    ),
    click.option("--stack", "stacks", multiple=True, help="Stack name; repeatable."),
    click.option(
        "--severity", "severities", multiple=True, help="CRITICAL, HIGH, MEDIUM, LOW or INFORMATIONAL."
    ),
    click.option("--status", "statuses", multiple=True, help="A status to keep; repeatable."),
    click.option("--search", "text", default="", help="Text in names, identifiers and tags."),
    click.option(
        "--at", "at", default=None, metavar="TIME", help="As of a moment: 2026-09-30 or 2026-09-30T02:00Z."
    ),
    click.option(
        "--limit", default=200, show_default=True, type=click.IntRange(1, 10_000), help="Rows a page."
    ),
    click.option("--cursor", default=None, help="The next page, as the last one named it."),
)


def list_options(command: F) -> F:
    """Give ``command`` the shared filters; it receives them as one `Query` named ``query``."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        from driftguard.history.port import Query

        names = (
            "accounts",
            "regions",
            "types",
            "stacks",
            "severities",
            "statuses",
            "text",
            "limit",
            "cursor",
        )
        given = {name: kwargs.pop(name) for name in names}
        given["severities"] = tuple(s.upper() for s in given["severities"])
        given["statuses"] = tuple(s.upper() for s in given["statuses"])
        return command(*args, query=Query(**given, at=moment(kwargs.pop("at"))), **kwargs)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]  # functools.wraps keeps the signature that click reads


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
