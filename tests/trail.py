"""A CloudTrail that answers from a list, for questions that need no AWS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from driftguard.errors import ThrottledError


@dataclass
class Trail:
    """What AWS answers: all events of a place, newest first, or those that name a resource."""

    events: list[dict[str, Any]]
    broken: bool = False
    asked: list[str] = field(default_factory=list)

    @property
    def cloudtrail(self) -> Trail:
        return self

    def place(self, account: str, region: str) -> Trail:
        return self

    def lookup(self, *, attribute: str, value: str, start: Any) -> Iterator[dict[str, Any]]:
        self.asked.append(value)
        if self.broken:
            raise ThrottledError(
                "Rate exceeded", code="ThrottlingException", action="cloudtrail:LookupEvents"
            )
        events = [one for one in self.events if one["EventTime"] >= start]
        yield from events if attribute == "ReadOnly" else [e for e in events if value in e["CloudTrailEvent"]]
