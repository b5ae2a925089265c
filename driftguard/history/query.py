"""Filters, orders and pages: from a `Query` to a SELECT and back to a `Page`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import orjson

from driftguard.errors import InputError
from driftguard.history.database import Connection, Row, marks
from driftguard.history.port import Exact, Page, Query

T = TypeVar("T")
_MOST = 1_000_000


@dataclass(slots=True)
class Select:
    """A SELECT under construction.

    ``columns`` end with the tie-breaking ``key`` column; ``orders`` are the orders that a caller may ask
    for, the first one being the default; a leading ``-`` turns one round.
    """

    columns: str
    source: str
    key: str
    orders: Mapping[str, str]
    where: list[str] = field(default_factory=list)
    parameters: list[Any] = field(default_factory=list)
    counted: str = ""
    """A shorter ``source`` that has as many rows, where the conditions name no more of it."""

    def among(self, column: str, values: tuple[str, ...]) -> None:
        """``column`` is one of ``values``; ``*`` and ``?`` in a value that is not `Exact` are wildcards; empty:
        anything."""
        if not values:
            return
        patterns = [value for value in values if not isinstance(value, Exact) and {*value} & {"*", "?"}]
        exact = [str(value) for value in values if value not in patterns or isinstance(value, Exact)]
        parts = [f"{column} IN ({marks(len(exact))})"] if exact else []
        self.parameters += exact
        for value in patterns:
            parts.append(f"{column} LIKE ? ESCAPE '!'")
            self.parameters.append(like(value))
        self.where.append("(" + " OR ".join(parts) + ")")

    def condition(self, sql: str, *parameters: Any) -> None:
        self.where.append(sql)
        self.parameters += parameters

    def holding(self, text: str, columns: Sequence[str]) -> None:
        """Some of ``columns`` holds ``text``, whatever its case."""
        tests = " OR ".join(f"LOWER(COALESCE({name}, '')) LIKE ? ESCAPE '!'" for name in columns)
        self.condition(f"({tests})", *[contains(text)] * len(columns))


def like(pattern: str) -> str:
    """A wildcard pattern as LIKE ... ESCAPE '!' wants it."""
    escaped = pattern.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return escaped.replace("*", "%").replace("?", "_")


def contains(text: str) -> str:
    """A LIKE pattern for "holds ``text``", case folded."""
    escaped = text.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"


def page(
    connection: Connection, select: Select, query: Query, build: Callable[[list[Row]], list[T]]
) -> Page[T]:
    """One page; ``build`` turns its rows into values, one for one."""
    name = query.order or next(iter(select.orders))
    down = name.startswith("-")
    column = select.orders.get(name.lstrip("-"))
    if column is None:
        raise InputError(f"there is no order `{name}` here.", fix=f"Known: {', '.join(select.orders)}.")
    where, parameters = list(select.where), list(select.parameters)
    if query.cursor is not None:
        value, key = _open_cursor(query.cursor, name)
        _fits(connection, select, column, value, key)
        sign = "<" if down else ">"
        where.append(f"({column} {sign} ? OR ({column} = ? AND {select.key} {sign} ?))")
        parameters += [value, value, key]
    direction = "DESC" if down else "ASC"
    limit = max(1, min(query.limit, _MOST))
    sql = (
        f"SELECT {select.columns}, {column}, {select.key} FROM {select.source} "  # noqa: S608
        f"WHERE {' AND '.join(where) or '1 = 1'} "
        f"ORDER BY {column} {direction}, {select.key} {direction} LIMIT {limit + 1}"
    )
    rows = connection.rows(sql, parameters)
    more = len(rows) > limit
    rows = rows[:limit]
    total = None
    if query.cursor is None:
        total = _count(connection, select) if more else len(rows)
    cursor = _seal_cursor(name, rows[-1][-2], rows[-1][-1]) if more else None
    return Page(items=tuple(build(rows)), cursor=cursor, total=total)


def _count(connection: Connection, select: Select) -> int:
    clause = " AND ".join(select.where) or "1 = 1"
    sql = f"SELECT COUNT(*) FROM {select.counted or select.source} WHERE {clause}"  # noqa: S608
    return int(connection.rows(sql, select.parameters)[0][0])


def _seal_cursor(order: str, value: Any, key: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([order, value, key])).decode().rstrip("=")


def _open_cursor(cursor: str, order: str) -> tuple[Any, Any]:
    try:
        data = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        data = None
    if not isinstance(data, list) or len(data) != 3 or data[0] != order or not all(map(_scalar, data[1:])):
        raise _foreign_cursor()
    return data[1], data[2]


def _foreign_cursor() -> InputError:
    return InputError(
        "this page cursor does not belong to this list and order.", fix="Start again without a cursor."
    )


def _fits(connection: Connection, select: Select, column: str, value: Any, key: Any) -> None:
    """Raise `InputError` unless ``value`` and ``key`` are such as the list has: PostgreSQL compares no number with a
    text, and SQLite compares them to no purpose."""
    own = select.parameters[: select.source.count("?")]
    sql = f"SELECT {column}, {select.key} FROM {select.source} WHERE {column} IS NOT NULL LIMIT 1"  # noqa: S608
    for row in connection.rows(sql, own):
        if isinstance(row[0], str) != isinstance(value, str) or isinstance(row[1], str) != isinstance(
            key, str
        ):
            raise _foreign_cursor()


def _scalar(value: Any) -> bool:
    """Whether a database takes ``value``; a cursor comes back from outside and may have been made up."""
    if isinstance(value, int) and not isinstance(value, bool):
        return -(2**63) <= value < 2**63
    return isinstance(value, str) and "\0" not in value


def every(ask: Callable[[Query], Page[T]], query: Query) -> Iterator[T]:
    """All that ``query`` finds, page after page."""
    cursor: str | None = query.cursor
    while True:
        found = ask(replace(query, cursor=cursor))
        yield from found.items
        cursor = found.cursor
        if cursor is None:
            return
