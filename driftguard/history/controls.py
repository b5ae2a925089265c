"""The controls of a framework: the verdict on each, and the policies, attestations and waivers it rests on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from driftguard.history.codec import encode
from driftguard.history.port import Attestation
from driftguard.model import (
    ComplianceType,
    Evaluation,
    FindingKind,
    FindingStatus,
    Json,
    Report,
    ResourceKey,
)
from driftguard.rules.frameworks import ControlFile, Framework


def controls(
    report: Report,
    framework: str,
    attestations: Iterable[Attestation] = (),
    listed: Framework | None = None,
) -> list[Json]:
    """Every control of ``framework`` with its verdict and what it rests on."""
    known = {control.id: control for control in listed.controls} if listed is not None else {}
    of_control: dict[str, list[str]] = defaultdict(list)
    for policy in report.policies.values():
        for name, ids in policy.frameworks.items():
            if name.lower() == framework.lower():
                for control in ids:
                    of_control[control].append(policy.id)
    attested: dict[str, list[Attestation]] = defaultdict(list)
    for attestation in attestations:
        attested[attestation.control].append(attestation)
    verdicts: dict[str, list[Evaluation]] = defaultdict(list)
    for evaluation in report.evaluations:
        verdicts[evaluation.policy].append(evaluation)
    waived = {
        (finding.key, finding.subject): finding.waiver
        for finding in report.findings
        if finding.kind is FindingKind.COMPLIANCE and finding.status is FindingStatus.SUPPRESSED
    }
    result = []
    for control in sorted(of_control.keys() | attested.keys() | known.keys(), key=_natural):
        rows = [
            _policy_row(policy, verdicts[policy], waived, _unseen(report, policy))
            for policy in sorted(of_control[control])
        ]
        result.append(
            {
                "control": control,
                "title": known[control].title if control in known else "",
                "verdict": _verdict(
                    [row["verdict"] for row in rows], bool(attested[control]), known.get(control)
                ),
                "policies": rows,
                "attestations": [encode(attestation) for attestation in attested[control]],
            }
        )
    return result


def _unseen(report: Report, policy: str) -> int:
    """How many gaps may hide resources that ``policy`` judges."""
    types = report.policies[policy].resource_types
    return sum(gap.path is None and (gap.type is None or gap.type in types) for gap in report.gaps)


def _policy_row(
    policy: str,
    evaluations: list[Evaluation],
    waived: Mapping[tuple[ResourceKey, str], str | None],
    unseen: int,
) -> dict[str, Any]:
    failing = [e for e in evaluations if e.compliance is ComplianceType.NON_COMPLIANT]
    accepted = [e for e in failing if (e.key, policy) in waived]
    counts = {kind.value: sum(e.compliance is kind for e in evaluations) for kind in ComplianceType}
    if len(failing) > len(accepted):
        verdict = "NON_COMPLIANT"
    elif counts["INSUFFICIENT_DATA"]:
        verdict = "INSUFFICIENT_DATA"
    elif accepted:
        verdict = "WAIVED"
    else:
        # Nothing found where something could not be looked at is no verdict.
        empty = "INSUFFICIENT_DATA" if unseen else "NOT_APPLICABLE"
        verdict = "COMPLIANT" if counts["COMPLIANT"] else empty
    return {
        "policy": policy,
        "verdict": verdict,
        "counts": counts,
        "gaps": unseen,
        "failing": [str(e.key) for e in failing if (e.key, policy) not in waived],
        "waived": [{"resource": str(e.key), "waiver": waived[(e.key, policy)]} for e in accepted],
    }


def _verdict(verdicts: list[str], attested: bool, control: ControlFile | None = None) -> str:
    """The worst verdict of a control's policies; a person's word counts where no machine judges.

    NOT_ATTESTED: people have to judge it, and nobody did.
    """
    for word in ("NON_COMPLIANT", "INSUFFICIENT_DATA", "WAIVED", "COMPLIANT"):
        if word in verdicts:
            return word
    if attested:
        return "ATTESTED"
    if control is not None and not verdicts:
        return "INSUFFICIENT_DATA" if control.policies else "NOT_ATTESTED"
    return "NOT_APPLICABLE"


def _natural(control: str) -> tuple[Any, ...]:
    return tuple((int(part), "") if part.isdigit() else (10**9, part) for part in control.split("."))
