"""Which cure a fault gets, and why.  Pure."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping

from driftguard.model import DriftStatus, FindingKind, Severity
from driftguard.model.remediation import Cure
from driftguard.remediation.material import Case
from driftguard.remediation.parts import Impossible
from driftguard.settings.remediation import CureRule, RemediationSettings

_MACHINES = (
    "*:assumed-role/*deploy*",
    "*pipeline*",
    "*terraform*",
    "*github*",
    "*gitlab*",
    "*jenkins*",
    "*ci-*",
)

_DOORS = ("AWS::IAM::*", "AWS::SSO::*", "AWS::RAM::*", "AWS::EC2::SecurityGroup*", "AWS::EC2::VPCPeering*")
"""Types that give somebody access; one that appears outside every template is for a person to look at."""


def choose(
    case: Case, settings: RemediationSettings, chosen: Mapping[str, Cure] | None = None
) -> tuple[Cure, str]:
    """The cure and the reason, as a sentence: a person's choice, the settings' rules, then the built-in order.

    Raises `Impossible` for what only a person should decide.
    """
    for finding in case.findings:
        if chosen and finding.fingerprint in chosen:
            return chosen[finding.fingerprint], "You asked for this cure."
    if case.worst.kind is FindingKind.COMPLIANCE:
        return Cure.FIX, "The policy is not met, and a remedy for it is known."
    for number, rule in enumerate(settings.cures, 1):
        if _fits(rule, case):
            return Cure(rule.cure), f"Rule {number} of `remediation.cures` says {rule.cure} for such a drift."
    return _built_in(case)


def _built_in(case: Case) -> tuple[Cure, str]:
    finding = case.worst
    if case.drift is not None and case.drift.status is DriftStatus.DELETED:
        return Cure.REVERT, "The template declares it, so it is made again; the template stays as it is."
    if finding.kind is FindingKind.UNMANAGED:
        if finding.severity.rank <= Severity.HIGH.rank or _any(case.key.type, _DOORS):
            raise Impossible(
                "No template declares it and it gives access, so it is neither kept nor accepted without a person's "
                "word: have it deleted, take it into a template yourself, or accept it.",
                "needs-a-person",
            )
        return (
            Cure.ACCEPT,
            "No template declares it, so there is nothing to go back to; it is accepted for a limited time "
            "until its owner takes it into a template or takes it away.",
        )
    if finding.severity.rank <= Severity.HIGH.rank:
        return (
            Cure.REVERT,
            f"A {finding.severity} change weakens protection, and the template is the agreed state.",
        )
    who = case.drift.changed_by if case.drift is not None else None
    if who is not None and any(fnmatch.fnmatchcase(who.principal.lower(), one) for one in _MACHINES):
        return Cure.ADOPT, f"{who.principal} is automation: it would make the change again after a revert."
    if finding.severity is Severity.MEDIUM:
        return (
            Cure.REVERT,
            "The template is the agreed state, and nobody has said that the change should stay.",
        )
    if finding.kind is FindingKind.UNDECLARED:
        return (
            Cure.ACCEPT,
            "No template says anything about this value and it protects nothing; the new value is accepted for "
            "a limited time.",
        )
    return (
        Cure.ADOPT,
        "The change protects nothing less than before, so the template follows what was done by hand.",
    )


def _fits(rule: CureRule, case: Case) -> bool:
    finding = case.worst
    who = case.drift.changed_by.principal if case.drift is not None and case.drift.changed_by else ""
    return (
        (not rule.severities or finding.severity.value in {one.upper() for one in rule.severities})
        and (not rule.accounts or case.key.account in rule.accounts)
        and (not rule.types or _any(case.key.type, rule.types))
        and (not rule.principals or _any(who, rule.principals))
        and (
            not rule.paths
            or all(
                any(_any(one.subject, (path, f"{path}/*")) for path in rule.paths) for one in case.findings
            )
        )
    )


def _any(text: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns)
