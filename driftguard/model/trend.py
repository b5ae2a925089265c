"""Trends: one point per run, for the pictures of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """What a run left behind, in numbers.

    ``open`` counts open findings by severity, ``mean_hours_in_drift`` is the mean age of open drift
    findings, ``compliance`` maps a framework to the percentage of its verdicts that are COMPLIANT, and
    ``coverage`` is the percentage of declared resources that were checked.
    """

    run: str
    at: datetime
    open: Mapping[str, int] = field(default_factory=dict)
    drift_open: int = 0
    mean_hours_in_drift: float | None = None
    compliance: Mapping[str, float] = field(default_factory=dict)
    coverage: float | None = None
    new: int = 0
    resolved: int = 0
