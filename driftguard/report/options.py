"""What a reader may ask of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from driftguard.model.trend import TrendPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """``framework`` narrows verdicts to one framework, ``trends`` (oldest first) brings the pictures.

    ``width`` and ``color`` are the terminal's, for text; ``verbose`` lists there what is
    still open, finding by finding.
    """

    lang: str = "en"
    framework: str | None = None
    trends: Sequence[TrendPoint] = ()
    generated_at: datetime | None = None
    width: int = 100
    color: bool = False
    verbose: bool = False
    organization: str = ""
    since: datetime | None = None
    """New is what was first seen, or came back, after this; without it, what the run before did not have."""

    @property
    def at(self) -> datetime:
        return self.generated_at or datetime.now(UTC)
