"""How far each framework is met."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from driftguard.model import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    name: str
    compliant: int
    failed: int
    unknown: int

    @property
    def percent(self) -> float | None:
        judged = self.compliant + self.failed
        return None if not judged else 100 * self.compliant / judged


def frameworks(report: Report, wanted: str | None) -> tuple[Framework, ...]:
    """The frameworks of the policies that were judged, by name; only ``wanted`` if it is given."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    of_policy = {policy.id: tuple(policy.frameworks) for policy in report.policies.values()}
    for evaluation in report.evaluations:
        for name in of_policy.get(evaluation.policy, ()):
            counts[name][evaluation.compliance.value] += 1
    return tuple(
        Framework(
            name=name,
            compliant=count["COMPLIANT"],
            failed=count["NON_COMPLIANT"],
            unknown=count["INSUFFICIENT_DATA"],
        )
        for name, count in sorted(counts.items())
        if wanted is None or name.lower() == wanted.lower()
    )
