"""Filters that live in the address: read from it, put into the query of the store, written back into forms."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from driftguard.history.port import Query

PAGE_SIZE = 50
_MOST_PER_PAGE = 500
_FIELDS = {
    "account": "accounts",
    "region": "regions",
    "type": "types",
    "stack": "stacks",
    "severity": "severities",
    "status": "statuses",
    "kind": "kinds",
    "policy": "subjects",
}
_LONGEST = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a list is narrowed to, and its order and page."""

    chosen: Mapping[str, tuple[str, ...]]
    text: str = ""
    order: str = ""
    cursor: str | None = None
    limit: int = PAGE_SIZE
    defaults: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the list is narrowed to when the reader asks for nothing."""

    def query(self, **more: Any) -> Query:
        """The same for the store."""
        narrowed: dict[str, Any] = {_FIELDS[name]: values for name, values in self.chosen.items()}
        return Query(
            **narrowed
            | {"text": self.text, "order": self.order, "cursor": self.cursor, "limit": self.limit}
            | more
        )

    def get(self, name: str) -> tuple[str, ...]:
        return self.chosen.get(name, ())

    @property
    def narrowed(self) -> bool:
        """Whether the reader asked for something else than what the list shows by itself."""
        return bool(self.text) or dict(self.chosen) != dict(self.defaults)

    def command(self, *words: str, options: tuple[str, ...]) -> str:
        """The command line that answers the same; ``options`` are those that the command has."""
        parts = list(words)
        for name in options:
            values = self.chosen.get(name, ())
            if name == "status" and not values:
                parts.append("--all")
            if values != self.defaults.get(name):  # what the command does by itself as well
                parts += [part for value in values for part in (f"--{name}", value)]
        if self.text and "search" in options:
            parts += ["--search", self.text]
        return shlex.join(parts)


def filter_of(
    request: Request, *names: str, order: str = "", defaults: Mapping[str, tuple[str, ...]] | None = None
) -> Filter:
    """The filter in the address.  ``names`` are the fields that this page knows."""
    given = request.query_params
    chosen = {}
    for name in names:
        # A form has one field for several values, with commas between them; no name of AWS that is asked for here
        # has one.
        parts = (part.strip() for value in given.getlist(name) for part in value.split(","))
        values = tuple(part[:_LONGEST] for part in parts if part)
        if not values and name not in given and defaults:
            values = defaults.get(name, ())
        if values and values != ("ALL",):
            chosen[name] = values
    limit = given.get("limit", "")
    return Filter(
        chosen=chosen,
        text=given.get("q", "").strip()[:_LONGEST],
        order=given.get("order", "")[:40] or order,
        cursor=given.get("cursor") or None,
        limit=max(1, min(int(limit), _MOST_PER_PAGE))
        if limit.isascii() and limit.isdecimal() and len(limit) < 6
        else PAGE_SIZE,
        defaults=defaults or {},
    )
