"""AWS Config's own verdicts among ours: named and weighed like our policies, and over when they are gone.  Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import orjson

from driftguard.live.config_results import JUDGE
from driftguard.model import (
    ComplianceType,
    Evaluation,
    Finding,
    FindingKind,
    PolicySummary,
    ResourceKey,
)
from driftguard.rules import Catalogue
from driftguard.scan.readings import Readings

_WORST = (ComplianceType.NON_COMPLIANT, ComplianceType.INSUFFICIENT_DATA, ComplianceType.COMPLIANT)


def evaluations(
    readings: Readings, findings: Sequence[Finding], catalogue: Catalogue
) -> Iterator[Evaluation]:
    """One for each policy and resource: of several rules with one policy the worst verdict counts."""
    worst: dict[tuple[ResourceKey, str], Evaluation] = {}
    for given in readings.config_evaluations:
        one = _as_ours(given, catalogue)
        known = worst.get((one.key, one.policy))
        if known is None or _rank(one) < _rank(known):
            worst[one.key, one.policy] = one
    yield from worst.values()
    yield from _over(readings, findings, worst.keys(), catalogue)


def _as_ours(given: Evaluation, catalogue: Catalogue) -> Evaluation:
    policy = catalogue.known(given.policy)
    if policy is None:
        return given
    return replace(given, policy=policy.id, aliases=policy.aliases, severity=policy.severity)


def _rank(one: Evaluation) -> int:
    return _WORST.index(one.compliance) if one.compliance in _WORST else len(_WORST)


def _over(
    readings: Readings,
    findings: Sequence[Finding],
    told: Collection[tuple[ResourceKey, str]],
    catalogue: Catalogue,
) -> Iterator[Evaluation]:
    """What AWS Config says no more: its results were read wholly, and the rule or the resource is not in them."""
    for finding in findings:
        key, subject = finding.key, finding.subject
        if not finding.open and finding.waiver is None:
            continue
        if not of_aws_config(finding) or (key, subject) in told:
            continue
        if _silent(readings, key, subject, catalogue):
            yield Evaluation(
                policy=subject,
                key=key,
                compliance=ComplianceType.NOT_APPLICABLE,
                severity=finding.severity,
                message="AWS Config has no result of it any more.",
                judge=JUDGE,
            )


def of_aws_config(finding: Finding) -> bool:
    """Whether AWS Config alone found the fault."""
    if finding.kind is not FindingKind.COMPLIANCE or not finding.detail.startswith("{"):
        return False
    return bool(orjson.loads(finding.detail).get("judges") == [JUDGE])


def _silent(readings: Readings, key: ResourceKey, subject: str, catalogue: Catalogue) -> bool:
    policy = catalogue.known(subject)
    names = {subject, *(policy.aliases if policy is not None else ())}
    regions = [pair for pair in readings.covered if pair[0] == key.account]
    places = regions if key.region == "global" else [(key.account, key.region)]
    untold = [readings.config_told.get(place) for place in places]
    return bool(untold) and all(found is not None and names.isdisjoint(found) for found in untold)


def summaries(
    readings: Readings, findings: Sequence[Finding], catalogue: Catalogue
) -> dict[str, PolicySummary]:
    """Every policy that may be spoken of: the selected ones, AWS Config's, and those that nobody could ask about.

    A finding of AWS Config stays open while its results cannot be read; so its policy is not gone.
    """
    found = catalogue.summaries()
    for name, rule in readings.config_rules.items():
        policy = catalogue.known(name)
        if policy is None:
            found[name] = replace(rule, frameworks=catalogue.controls.get(name, {}))
        else:
            found.setdefault(policy.id, policy.summary())
    for finding in findings:
        if of_aws_config(finding) and finding.subject not in found:
            found[finding.subject] = _stub(finding)
    return found


def _stub(finding: Finding) -> PolicySummary:
    return PolicySummary(
        id=finding.subject,
        title=finding.title,
        severity=finding.severity,
        resource_types=(finding.key.type,),
    )
