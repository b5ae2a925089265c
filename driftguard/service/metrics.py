"""Numbers for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

from driftguard.history.port import Query
from driftguard.model import RunStatus
from driftguard.rules import scores
from driftguard.rules.scores import tallies
from driftguard.service.services import Services

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "driftguard_http_requests_total", "Answered requests.", ["method", "route", "status"], registry=REGISTRY
)
REQUEST_SECONDS = Histogram(
    "driftguard_http_request_seconds",
    "How long an answer took.",
    ["route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5),
    registry=REGISTRY,
)
_RUNS_LOOKED_AT = 200


class Estate:
    """What the store knows, counted when it is asked for."""

    def __init__(self, services: Services) -> None:
        self._services, self._store = services, services.store

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = GaugeMetricFamily("driftguard_open_findings", "Open findings.", labels=["severity"])
        for severity, count in self._store.finding_counts(Query(statuses=("OPEN",))).items():
            found.add_metric([severity], count)
        yield found
        yield from self._runs()
        score = GaugeMetricFamily(
            "driftguard_compliance_percent", "Compliant of judged verdicts.", labels=["framework"]
        )
        by_policy = tallies(self._store.evaluation_counts(Query()), self._services.catalogue)
        for framework in self._services.frameworks.frameworks:
            percent = scores.whole(framework, by_policy).percent
            if percent is not None:
                score.add_metric([framework.id], percent)
        yield score
        newest = self._services.points(1)
        if newest and newest[0].coverage is not None:
            yield GaugeMetricFamily(
                "driftguard_coverage_percent",
                "Declared resources that the newest run over everything checked.",
                value=newest[0].coverage,
            )

    def _runs(self) -> Iterator[GaugeMetricFamily]:
        """When each trigger (a schedule, the command line, the service) last succeeded and last failed."""
        success = GaugeMetricFamily(
            "driftguard_last_success_timestamp_seconds", "End of the newest good run.", labels=["schedule"]
        )
        failure = GaugeMetricFamily(
            "driftguard_last_failure_timestamp_seconds", "End of the newest failed run.", labels=["schedule"]
        )
        seen: set[tuple[str, bool]] = set()
        for run in self._store.runs(Query(limit=_RUNS_LOOKED_AT)).items:
            good = run.status is RunStatus.SUCCEEDED
            # Who asked for a run is no schedule, and would make a label without end.
            schedule = "service" if run.trigger.startswith("service:") else run.trigger
            if run.finished_at is None or (schedule, good) in seen:
                continue
            seen.add((schedule, good))
            (success if good else failure).add_metric([schedule], run.finished_at.timestamp())
        yield success
        yield failure


def exposition(services: Services) -> bytes:
    """Everything in Prometheus' text form."""
    estate = CollectorRegistry()
    estate.register(Estate(services))
    return generate_latest(REGISTRY) + generate_latest(estate)
