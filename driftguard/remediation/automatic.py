"""Automatic mode: off unless a rule says so, and a rehearsal unless the rule says that, too.  Pure."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from driftguard.model import Finding, FindingKind, Json
from driftguard.model.remediation import ActionKind, Cure, Plan, Refusal
from driftguard.remediation.seal import seal
from driftguard.settings.remediation import AutomaticRule

REHEARSED = "remediation.rehearsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Findings that a rule covers: to be put right, or only rehearsed."""

    act: tuple[Finding, ...] = ()
    rehearse: tuple[Finding, ...] = ()


def choose(findings: Iterable[Finding], rules: Sequence[AutomaticRule]) -> Chosen:
    """The first rule that fits decides.  What is waived, resolved or flapping is never automatic."""
    act: list[Finding] = []
    rehearse: list[Finding] = []
    for finding in findings:
        if not finding.open or finding.waiver or finding.flapping:
            continue
        rule = next((one for one in rules if _fits(one, finding)), None)
        if rule is not None:
            (rehearse if rule.rehearsal else act).append(finding)
    return Chosen(act=tuple(act), rehearse=tuple(rehearse))


def changing_only(plan: Plan) -> Plan:
    """The plan without steps that a machine should not decide: adopting and accepting."""
    kept = tuple(
        step
        for step in plan.steps
        if step.cure in (Cure.REVERT, Cure.FIX) and step.action is not ActionKind.TEMPLATE_PATCH
    )
    left = tuple(
        Refusal(
            finding=name,
            title=step.title,
            place=f"{step.logical_id or step.key.identifier}, account {step.key.account}",
            guard="automatic",
            why="A person has to decide about adopting or accepting.",
        )
        for step in plan.steps
        if step not in kept
        for name in step.findings
    )
    return seal(replace(plan, steps=kept, left=(*plan.left, *left)))


def record(plan: Plan) -> dict[str, Json]:
    """What a rehearsal writes down of a plan."""
    return {
        "steps": [
            {
                "finding": step.finding,
                "title": step.title,
                "resource": str(step.key),
                "cure": step.cure.value,
                "target": step.target,
                "changes": [one.path for one in step.expected],
            }
            for step in plan.steps
        ],
        "refused": [list(row) for row in plan.refused],
    }


class Entry(Protocol):
    @property
    def at(self) -> datetime: ...
    @property
    def action(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def detail(self) -> Mapping[str, Json]: ...


def rehearsals(entries: Iterable[Entry], now: datetime, nights: int) -> str:
    """What automation would have done in the last nights, as plain text."""
    since = now - timedelta(days=nights)
    seen: dict[tuple[str, str], list[datetime]] = {}
    shown: dict[tuple[str, str], str] = {}
    runs = 0
    for entry in entries:
        if entry.action != REHEARSED or entry.at < since:
            continue
        runs += 1
        for step in entry.detail.get("steps", ()):
            key = (step["finding"], step["target"])
            seen.setdefault(key, []).append(entry.at)
            shown[key] = f"{step['cure']} {step['resource']}: {step['title']} ({step['target']})"
    lines = [f"{runs} rehearsals in the last {nights} nights; nothing was changed."]
    for key, times in sorted(seen.items(), key=lambda item: -len(item[1])):
        lines.append(f"  {len(times):>3} x  {shown[key]}, first {min(times):%Y-%m-%d}")
    if not seen:
        lines.append("  Nothing would have been done.")
    return "\n".join(lines) + "\n"


def _fits(rule: AutomaticRule, finding: Finding) -> bool:
    if finding.kind is FindingKind.COMPLIANCE:
        named = any(fnmatch.fnmatchcase(finding.subject, one) for one in rule.policies)
    else:
        named = rule.drift and finding.kind is FindingKind.DRIFT
    key = finding.key
    return (
        named
        and (not rule.accounts or key.account in rule.accounts)
        and (not rule.regions or key.region in rule.regions)
        and (not rule.types or any(fnmatch.fnmatchcase(key.type, one) for one in rule.types))
        and (not rule.severities or finding.severity.value in {one.upper() for one in rule.severities})
    )
