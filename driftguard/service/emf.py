"""A run's numbers as a log line that CloudWatch reads as metrics.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

from typing import Any

import structlog

from driftguard.history.tables.trends import trend_point
from driftguard.model import Outcome, Report, Severity

log = structlog.get_logger("driftguard.service")


def tell(report: Report, namespace: str) -> None:
    """Write the line of a run that was recorded; nothing without a ``namespace``."""
    if namespace:
        log.info("run metrics", **line(report, namespace))


def line(report: Report, namespace: str) -> dict[str, Any]:
    """The members of the line: numbers, and what CloudWatch has to know of them."""
    run = report.run
    ended = run.finished_at or run.started_at
    point = trend_point(report, ended)
    # Who asked for a run by hand is no schedule, and would make a dimension without end.
    trigger = run.trigger.partition(":")[0] if run.trigger.startswith("service:") else run.trigger
    numbers: dict[str, tuple[float, str]] = {
        "OpenFindings": (sum(point.open.values()), "Count"),
        **{
            f"{severity.value.title()}Findings": (point.open.get(severity.value, 0), "Count")
            for severity in Severity
        },
        "NewFindings": (point.new, "Count"),
        "ResolvedFindings": (point.resolved, "Count"),
        "Gaps": (len(report.gaps), "Count"),
        "Partial": (int(report.outcome is Outcome.PARTIAL), "Count"),
        "Duration": ((ended - run.started_at).total_seconds(), "Seconds"),
    }
    if point.coverage is not None:
        numbers["Coverage"] = (point.coverage, "Percent")
    metrics = [{"Name": name, "Unit": unit} for name, (_, unit) in numbers.items()]
    about = {"Namespace": namespace, "Dimensions": [["Trigger"]], "Metrics": metrics}
    return {
        "_aws": {"Timestamp": int(ended.timestamp() * 1000), "CloudWatchMetrics": [about]},
        "Trigger": trigger,
        "run": run.id,
        **{name: value for name, (value, _) in numbers.items()},
    }
