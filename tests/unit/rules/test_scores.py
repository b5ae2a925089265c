"""The score of a framework out of a run, the same wherever it is told."""

from __future__ import annotations

from dataclasses import replace

from driftguard.model import ComplianceType, PolicySummary, Report, Severity
from driftguard.rules.scores import Tally, of_report
from tests.history_values import evaluation, report

C = ComplianceType


def judged() -> Report:
    def policy(name: str, *frameworks: str) -> PolicySummary:
        return PolicySummary(
            id=name,
            title=name,
            severity=Severity.LOW,
            resource_types=("AWS::S3::Bucket",),
            frameworks=dict.fromkeys(frameworks, ("1.1", "1.2")),
        )

    policies = (policy("ONE", "B", "A"), policy("TWO", "B"), policy("QUIET", "C"), policy("FREE"))
    verdicts = (
        evaluation("a", C.COMPLIANT, "ONE"),
        evaluation("b", C.NON_COMPLIANT, "ONE"),
        evaluation("c", C.NOT_APPLICABLE, "ONE"),
        evaluation("a", C.INSUFFICIENT_DATA, "TWO"),
        evaluation("b", C.COMPLIANT, "TWO"),
        evaluation("b", C.COMPLIANT, "TWO", judge="AWS Config"),
        evaluation("a", C.COMPLIANT, "FREE"),
    )
    return report(1, policies={one.id: one for one in policies}, evaluations=verdicts)


def test_the_frameworks_of_a_run_are_counted_pair_by_pair() -> None:
    found = of_report(judged())
    assert found == {
        "A": Tally(compliant=1, failed=1),
        "B": Tally(compliant=2, failed=1, untold=1),
    }, "a pair counts once, whoever judges it, and what nobody judged has no score"
    assert list(found) == ["A", "B"] and found["B"].percent == 66.67
    assert of_report(replace(judged(), evaluations=())) == {}
