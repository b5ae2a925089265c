"""The SQL subset of AWS Config advanced queries: text -> `Query`.

Grammar and limits after the AWS Config developer guide ("Query components", "Limitations"): one SELECT without
FROM, AS, DISTINCT, ALL, HAVING, JOIN or UNION; no NULL; wildcards only at the end of a pattern and behind at least
three characters; aggregate functions take one property; GROUP BY takes up to three properties, one when ORDER BY
names an aggregate. AWS publishes the error code (InvalidExpressionException) and not the texts: the texts here are
invented, and nothing may be matched on them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

AGGREGATES = frozenset({"COUNT", "SUM", "AVG", "MIN", "MAX"})
REFUSED = frozenset({"FROM", "AS", "DISTINCT", "ALL", "HAVING", "JOIN", "UNION"})
LITERALS: Mapping[str, bool] = {"TRUE": True, "FALSE": False}
MAX_LENGTH = 4096

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^']|'')*')
    | (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
    | (?P<word>(?:[A-Za-z_][\w\-]*|\*)(?:\.(?:[\w\-:/]+|"[^"]*"|'[^']*'|\*))*)
    | (?P<symbol><=|>=|!=|<>|=|<|>|,|\(|\)|\*)
    )""",
    re.VERBOSE,
)


class SqlError(ValueError):
    """The expression is not one that AWS Config accepts."""


@dataclass(frozen=True, slots=True)
class Column:
    """A projected property, or an aggregate over one."""

    path: str
    function: str = ""

    @property
    def name(self) -> str:
        """How the column is named in the result, `COUNT(*)` for an aggregate."""
        return f"{self.function}({self.path})" if self.function else self.path


@dataclass(frozen=True, slots=True)
class Predicate:
    """`path operator operands`, true when any value at the path satisfies it."""

    path: str
    operator: str
    operands: tuple[Any, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Logic:
    """AND, OR or NOT over conditions."""

    operator: str
    parts: tuple[Condition, ...]


Condition = Predicate | Logic


@dataclass(frozen=True, slots=True)
class Query:
    """One parsed expression."""

    columns: tuple[Column, ...]
    where: Condition | None
    group_by: tuple[str, ...]
    order_by: tuple[tuple[Column, bool], ...]

    @property
    def aggregates(self) -> bool:
        """Whether rows are folded into groups."""
        return bool(self.group_by) or any(column.function for column in self.columns)


def parse(expression: str) -> Query:
    """The query behind `expression`; raises SqlError."""
    if not expression.strip():
        raise SqlError("The expression is empty.")
    if len(expression) > MAX_LENGTH:
        raise SqlError(f"The expression is longer than {MAX_LENGTH} characters.")
    return _Parser(_tokens(expression)).query()


def _tokens(text: str) -> list[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    at = 0
    text = text.rstrip().rstrip(";")
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.end() == at:
            if not text[at:].strip():
                break
            raise SqlError(f"Unexpected character at position {at}: {text[at:].lstrip()[:1]}")
        kind = str(match.lastgroup)
        out.append((kind, match.group(kind)))
        at = match.end()
    return out


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.at = 0

    def query(self) -> Query:
        self.expect("SELECT")
        columns = [self.column()]
        while self.take(","):
            columns.append(self.column())
        where = self.disjunction() if self.take("WHERE") else None
        group: tuple[str, ...] = ()
        if self.take("GROUP"):
            self.expect("BY")
            group = self.properties()
        order: tuple[tuple[Column, bool], ...] = ()
        if self.take("ORDER"):
            self.expect("BY")
            order = self.ordering()
        if self.at < len(self.tokens):
            raise SqlError(f"Unexpected token: {self.peek()[1]}")
        return _checked(Query(tuple(columns), where, group, order))

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "end of expression")

    def take(self, word: str) -> bool:
        kind, text = self.peek()
        if kind in {"word", "symbol"} and text.upper() == word:
            self.at += 1
            return True
        return False

    def expect(self, word: str) -> None:
        if not self.take(word):
            raise SqlError(f"Expected {word} but found {self.peek()[1]}")

    def word(self) -> str:
        kind, text = self.peek()
        if kind != "word" or text.upper() in REFUSED:
            raise SqlError(f"Expected a property but found {text}")
        self.at += 1
        return text

    def column(self) -> Column:
        name = self.word()
        if name.upper() in AGGREGATES and self.take("("):
            path = self.word()
            self.expect(")")
            return Column(path, name.upper())
        return Column(name)

    def properties(self) -> tuple[str, ...]:
        out = [self.word()]
        while self.take(","):
            out.append(self.word())
        return tuple(out)

    def ordering(self) -> tuple[tuple[Column, bool], ...]:
        out = []
        while True:
            column = self.column()
            descending = self.take("DESC")
            if not descending:
                self.take("ASC")
            out.append((column, descending))
            if not self.take(","):
                return tuple(out)

    def disjunction(self) -> Condition:
        parts = [self.conjunction()]
        while self.take("OR"):
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else Logic("OR", tuple(parts))

    def conjunction(self) -> Condition:
        parts = [self.negation()]
        while self.take("AND"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else Logic("AND", tuple(parts))

    def negation(self) -> Condition:
        if self.take("NOT"):
            return Logic("NOT", (self.negation(),))
        if self.take("("):
            inner = self.disjunction()
            self.expect(")")
            return inner
        return self.predicate()

    def literal(self) -> Any:
        kind, text = self.peek()
        self.at += 1
        if kind == "string":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(text) if "." in text else int(text)
        if kind == "word" and text.upper() in LITERALS:
            return LITERALS[text.upper()]
        if kind == "word" and text.upper() == "NULL":
            raise SqlError("NULL value queries are not supported")
        raise SqlError(f"Expected a value but found {text}")

    def predicate(self) -> Predicate:
        path = self.word()
        negated = self.take("NOT")
        if self.take("LIKE"):
            pattern = self.literal()
            _check_pattern(pattern)
            return Predicate(path, "LIKE", (pattern,), negated)
        if self.take("IN"):
            self.expect("(")
            values = [self.literal()]
            while self.take(","):
                values.append(self.literal())
            self.expect(")")
            return Predicate(path, "IN", tuple(values), negated)
        if self.take("BETWEEN"):
            low = self.literal()
            self.expect("AND")
            return Predicate(path, "BETWEEN", (low, self.literal()), negated)
        if self.take("IS"):
            raise SqlError("NULL value queries are not supported")
        kind, symbol = self.peek()
        if negated or kind != "symbol" or symbol not in {"=", "!=", "<>", "<", ">", "<=", ">="}:
            raise SqlError(f"Expected a comparison operator but found {symbol}")
        self.at += 1
        return Predicate(path, "!=" if symbol == "<>" else symbol, (self.literal(),))


def _check_pattern(pattern: object) -> None:
    if not isinstance(pattern, str):
        raise SqlError("LIKE takes a string")
    body = pattern.rstrip("%_")
    if body != pattern and len(body) < 3:
        raise SqlError("Wildcard matches must be at least three characters long")
    if "%" in body:
        raise SqlError("Only suffix wildcards are supported")


def _checked(query: Query) -> Query:
    by_aggregate = any(column.function for column, _ in query.order_by)
    if len(query.group_by) > (1 if by_aggregate else 3):
        raise SqlError("GROUP BY names too many properties")
    if query.group_by and not any(column.function for column in query.columns):
        raise SqlError("GROUP BY needs an aggregate function in the SELECT clause")
    if query.aggregates:
        for column in query.columns:
            if not column.function and column.path not in query.group_by:
                raise SqlError(f"{column.path} must be named in GROUP BY")
    return query
