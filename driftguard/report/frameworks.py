"""A report as it stands to frameworks: narrowed to one, and the row of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from driftguard.model import Finding, FindingKind, Report
from driftguard.report.messages import Messages
from driftguard.rules.frameworks import Frameworks
from driftguard.rules.scores import ControlStatus, Tally, controls_of_report, of_report
from driftguard.rules.shipped import all_frameworks


def narrowed(findings: Iterable[Finding], report: Report, framework: str | None) -> list[Finding]:
    """The findings, those of policies of a framework if one was asked for."""
    if framework is None:
        return list(findings)
    inside = _inside(report, framework)
    return [f for f in findings if f.kind is FindingKind.COMPLIANCE and f.subject in inside]


def only(report: Report, framework: str | None) -> Report:
    """``report`` with no verdict but those of the framework; drift is none of its business."""
    if framework is None:
        return report
    inside = _inside(report, framework)
    kept = tuple(one for one in report.evaluations if one.policy in inside)
    return replace(report, evaluations=kept, drifts=())


def rows(report: Report, framework: str | None, say: Messages) -> Mapping[str, Tally]:
    """The pairs of each framework, under its name and how many of its controls the share says nothing of."""
    return {
        _name(report, name, say): tally
        for name, tally in of_report(report).items()
        if framework is None or name.lower() == framework.lower()
    }


def _name(report: Report, name: str, say: Messages) -> str:
    known = _shipped().get(name)
    if known is None:
        return name
    counts = controls_of_report(report, known)
    notes = [
        say(f"frameworks.{word}", count=counts[status])
        for word, status in (("left", ControlStatus.NOT_JUDGED), ("people", ControlStatus.MANUAL))
        if counts[status]
    ]
    return (
        say("frameworks.controls", name=name, count=counts.total(), notes=", ".join(notes)) if notes else name
    )


@lru_cache(maxsize=1)
def _shipped() -> Frameworks:
    return all_frameworks()


def _inside(report: Report, framework: str) -> frozenset[str]:
    wanted = framework.lower()
    return frozenset(
        policy.id
        for policy in report.policies.values()
        if any(name.lower() == wanted for name in policy.frameworks)
    )
