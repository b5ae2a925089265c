"""What every reader's format shows, in the order that matters: new, open, resolved, not looked at, the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from driftguard.model import (
    ComplianceType,
    Drift,
    Finding,
    FindingKind,
    FindingStatus,
    Json,
    Outcome,
    PolicySummary,
    Report,
    Severity,
)
from driftguard.model.phrase import phrase
from driftguard.report import frameworks
from driftguard.report.causes import CauseRow, act, cause_rows
from driftguard.report.document import plain
from driftguard.report.gaps import GapGroup, grouped
from driftguard.report.messages import Messages, messages
from driftguard.report.options import Options
from driftguard.report.retold import message_of, policy_title
from driftguard.report.three_way import SourceRow, source_rows
from driftguard.rules.scores import Tally

_DECLARED = ("checked", "not_checked", "unsupported", "throttled", "unresolved")
_GRAVE = (Severity.CRITICAL, Severity.HIGH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One property of a finding: before is the template's (or the accepted) value, after AWS's."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A finding, ready to be shown."""

    finding: Finding
    name: str
    """What the resource is called: its logical id where it has one."""
    title: str
    message: str
    """What is wrong, in the reader's language; empty where the title says it."""
    severity: str
    place: str
    resource: str
    since: str
    who: str
    who_label: str
    """Changed by, Made by or Deleted by."""
    known_who: bool
    todo: str
    rule: str
    """The policy's title, in the reader's language."""
    brief: str
    """The same in a few words, for a terminal."""
    changes: tuple[Change, ...]
    more_changes: int
    before_label: str
    badges: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    label: str
    value: str
    note: str
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A report, ready to be laid out."""

    text: Messages
    headline: tuple[str, ...]
    tone: str
    tiles: tuple[Tile, ...]
    causes: tuple[CauseRow, ...]
    new: tuple[Item, ...]
    still: tuple[Item, ...]
    resolved: tuple[Item, ...]
    accepted: tuple[Item, ...]
    gaps: tuple[GapGroup, ...]
    coverage: tuple[tuple[str, int], ...]
    frameworks: Mapping[str, Tally]
    disagreements: tuple[Drift, ...]
    sources: tuple[SourceRow, ...]
    by_severity: tuple[tuple[str, str, int], ...]
    """(severity word, its text, how many are open)"""


def view(report: Report, options: Options) -> View:
    """``report`` as it is shown in ``options.lang``."""
    say = messages(options.lang)
    if options.since is not None:
        say = say.since(f"{options.since:%Y-%m-%d}")
    fresh = report.new | report.reopened
    asked = frameworks.only(report, options.framework)
    listed = frameworks.narrowed(report.findings, report, options.framework)
    opened = [finding for finding in listed if finding.open]
    accepted = [finding for finding in listed if finding.status is FindingStatus.SUPPRESSED]
    resolved = frameworks.narrowed(report.resolved, report, options.framework)
    items = {
        finding.fingerprint: item(finding, say, report.run.id, report.new, report.reopened, report.policies)
        for finding in (*opened, *accepted, *resolved)
    }

    def shown(findings: Iterable[Finding]) -> tuple[Item, ...]:
        listed = sorted(findings, key=lambda f: (f.severity.rank, f.first_seen, f.key, f.subject))
        return tuple(items[finding.fingerprint] for finding in listed)

    counts = Counter(finding.severity for finding in opened)
    return View(
        text=say,
        headline=_headline(asked, opened, len(resolved), say, options.framework),
        tone=_tone(report, opened),
        tiles=_tiles(asked, opened, say, options.framework),
        causes=cause_rows(report.causes, items.keys(), say, report.policies),
        new=shown(finding for finding in opened if finding.fingerprint in fresh),
        still=shown(finding for finding in opened if finding.fingerprint not in fresh),
        resolved=shown(resolved),
        accepted=shown(accepted),
        gaps=grouped(report.gaps, say),
        coverage=tuple(
            (say(f"coverage.{name}"), getattr(report.coverage, name))
            for name in ("checked", "not_checked", "unresolved", "unsupported", "throttled", "ignored")
        ),
        frameworks=frameworks.rows(report, options.framework, say),
        disagreements=tuple(drift for drift in asked.drifts if drift.disagreement),
        sources=source_rows(report, say) if options.framework is None else (),
        by_severity=tuple((s.value, say(f"severity.{s.value}"), counts[s]) for s in Severity),
    )


def by_resource(items: Iterable[Item]) -> tuple[tuple[Item, ...], ...]:
    """The findings of each resource together, in the order of the worst of each."""
    groups: dict[tuple[str, str], list[Item]] = {}
    for one in items:
        groups.setdefault((one.place, one.resource), []).append(one)
    return tuple(map(tuple, groups.values()))


def _headline(
    report: Report, opened: list[Finding], resolved: int, say: Messages, framework: str | None
) -> tuple[str, ...]:
    new = [finding for finding in opened if finding.fingerprint in report.new]
    grave = [finding for finding in new if finding.severity in _GRAVE]
    back = sum(finding.fingerprint in report.reopened for finding in opened)
    lines = []
    if grave:
        lines.append(say("headline.new", count=len(grave)))
    elif new:
        lines.append(say("headline.new_low", count=len(new)))
    if back:
        lines.append(say("headline.reopened", count=back))
    if not opened:
        lines.append(_clear(report, say, framework))
    else:
        if not new and not back:
            lines.append(say("headline.nothing_new"))
        word = "headline.open" if framework is None else "headline.framework_open"
        lines.append(say(word, count=len(opened), framework=framework or ""))
    if resolved:
        lines.append(say("headline.resolved", count=resolved))
    if report.outcome is Outcome.PARTIAL:
        count = len(report.gaps)
        lines.append(say("headline.partial", count=count) if count else say("headline.partial_none"))
    return tuple(lines)


def _clear(report: Report, say: Messages, framework: str | None) -> str:
    judged = len({evaluation.key for evaluation in report.evaluations})
    if framework is not None:
        # Drift and the policies of others may well be open.
        word = "clear" if judged else "unchecked"
        return say(f"headline.framework_{word}", count=judged, framework=framework)
    checked = report.coverage.checked or judged
    return say("headline.clear", count=checked) if checked else say("headline.unchecked")


def _tone(report: Report, opened: list[Finding]) -> str:
    """``bad`` (something new and grave), ``warn`` (something open or not looked at) or ``good``."""
    fresh = report.new | report.reopened
    if any(finding.fingerprint in fresh and finding.severity in _GRAVE for finding in opened):
        return "bad"
    return "warn" if opened or report.outcome is Outcome.PARTIAL else "good"


def percent(part: float, whole: float) -> str:
    """A share, rounded down, so that 100 % means all."""
    return "–" if not whole else f"{int(1000 * part / whole) / 10:g} %"


def _tiles(report: Report, opened: list[Finding], say: Messages, framework: str | None) -> tuple[Tile, ...]:
    grave = sum(finding.severity in _GRAVE for finding in opened)
    drifted = sum(drift.drifted for drift in report.drifts)
    verdicts = Counter(evaluation.compliance for evaluation in report.evaluations)
    met, failed = verdicts[ComplianceType.COMPLIANT], verdicts[ComplianceType.NON_COMPLIANT]
    coverage = report.coverage
    declared = sum(getattr(coverage, name) for name in _DECLARED)
    live = report.managed + report.unmanaged
    tiles = [
        Tile(
            label=say("tile.open"),
            value=str(len(opened)),
            note=f"{grave} {say('tile.critical_high')}",
            tone="bad" if grave else "",
        ),
        Tile(
            label=say("tile.drifted"),
            value=str(drifted),
            note=say("tile.checked", count=coverage.checked),
            tone="bad" if drifted else "",
        ),
        Tile(
            label=say("tile.compliance"),
            value=percent(met, met + failed),
            note=say("tile.verdicts", count=met + failed),
        ),
        Tile(
            label=say("tile.coverage"),
            value=say("tile.of", part=coverage.checked, whole=declared) if declared else "–",
            note=_coverage_note(report, live, say),
            tone="warn" if report.outcome is Outcome.PARTIAL else "",
        ),
    ]
    return tuple(tile for tile in tiles if framework is None or tile.label != say("tile.drifted"))


def _coverage_note(report: Report, live: int, say: Messages) -> str:
    """What stands beside the count of what was compared: a gap may hide more than is counted."""
    notes = [say("tile.gaps", count=len(report.gaps))] if report.gaps else []
    if live:
        notes.append(say("tile.managed", percent=percent(report.managed, live)))
    return " · ".join(notes) or say("tile.complete")


def item(
    finding: Finding,
    say: Messages,
    run_id: str = "",
    new: Collection[str] = (),
    reopened: Collection[str] = (),
    policies: Mapping[str, PolicySummary] | None = None,
) -> Item:
    """A finding as it is shown after the run ``run_id``; ``new`` and ``reopened`` are fingerprints."""
    name, told = finding.logical_id or finding.physical_id or finding.key.identifier, policies or {}
    detail = _detail(finding)
    changes, more = _changes(detail, say)
    badges = []
    if finding.fingerprint in new:
        badges.append(say("badge.new"))
    if finding.fingerprint in reopened:
        badges.append(say("badge.reopened"))
    if finding.flapping:
        badges.append(say("badge.flapping"))
    if detail.get("judges") == ["AWS Config"]:
        badges.append(say("badge.config"))
    if finding.open and run_id and finding.last_run and finding.last_run != run_id:
        badges.append(say("badge.carried"))
    place = " · ".join(part for part in (finding.key.account, finding.key.region, finding.stack) if part)
    return Item(
        finding=finding,
        name=name,
        title=_title(finding, name, told, say),
        message=message_of(finding, told, say),
        severity=say(f"severity.{finding.severity.value}"),
        place=place,
        resource=f"{finding.key.type} {finding.physical_id or finding.key.identifier}",
        since=f"{finding.first_seen:%Y-%m-%d %H:%M}",
        who=_who(finding, say),
        who_label=say(_did(finding)),
        known_who=finding.changed_by is not None,
        todo=_todo(finding, say, "todo"),
        rule=_rule(finding, told, say),
        brief=_todo(finding, say, "brief"),
        changes=changes,
        more_changes=more,
        before_label=say("column.was" if finding.kind is FindingKind.UNDECLARED else "column.expected"),
        badges=tuple(badges),
    )


def _title(finding: Finding, name: str, policies: Mapping[str, PolicySummary], say: Messages) -> str:
    if finding.kind is FindingKind.COMPLIANCE:
        return f"{name}: {_rule(finding, policies, say)}"
    if finding.kind is FindingKind.UNMANAGED:
        return say("finding.unmanaged", name=name)
    if finding.kind is FindingKind.UNDECLARED:
        return say("finding.undeclared", name=name, subject=finding.subject)
    if not finding.subject:
        return say("finding.deleted", name=name)
    return say("finding.differs", name=name, subject=finding.subject)


def heading(finding: Finding, policies: Mapping[str, PolicySummary], lang: str) -> str:
    """A finding in one line, for where the resource is named beside it."""
    say = messages(lang)
    if finding.kind is FindingKind.COMPLIANCE:
        return _rule(finding, policies, say)
    return _title(finding, finding.logical_id or finding.physical_id or finding.key.identifier, policies, say)


def _rule(finding: Finding, policies: Mapping[str, PolicySummary], say: Messages) -> str:
    """The title of the policy that a finding of compliance is about."""
    return policy_title(policies.get(finding.subject), say) or finding.title


def _who(finding: Finding, say: Messages) -> str:
    by = finding.changed_by
    return say("who.nobody") if by is None else act(by, say)


def _did(finding: Finding) -> str:
    if finding.kind is FindingKind.UNMANAGED:
        return "column.made_by"
    deleted = finding.kind is FindingKind.DRIFT and not finding.subject
    return "column.deleted_by" if deleted else "column.who"


def _todo(finding: Finding, say: Messages, form: str) -> str:
    if finding.remedy:
        return say(f"{form}.remedy", finding=finding.fingerprint)
    if finding.kind is FindingKind.DRIFT and not finding.subject:
        return say(f"{form}.deleted", finding=finding.fingerprint)
    kind = {"DRIFT": "drift", "UNDECLARED": "undeclared", "UNMANAGED": "unmanaged"}.get(
        finding.kind.value, "compliance"
    )
    return say(f"{form}.{kind}", finding=finding.fingerprint, resource=finding.key.identifier)


def _detail(finding: Finding) -> dict[str, Any]:
    try:
        data = orjson.loads(finding.detail)
    except orjson.JSONDecodeError:
        return {}
    return data if isinstance(data, dict) else {}


def _changes(detail: dict[str, Any], say: Messages, most: int = 5) -> tuple[tuple[Change, ...], int]:
    changes = [
        Change(
            path=str(part.get("path", "")),
            before=say("absent") if part.get("type") == "ADD" else shown(part.get("expected")),
            after=say("absent") if part.get("type") == "REMOVE" else shown(part.get("actual")),
        )
        for part in detail.get("differences", ())
    ]
    changes += [
        Change(
            path=str(part.get("path", "")),
            before=shown(part["was"]) if "was" in part else say("absent"),
            after=shown(part.get("value")),
        )
        for part in detail.get("undeclared", ())
    ]
    return tuple(changes[:most]), max(0, len(changes) - most)


def shown(value: Json, limit: int = 240) -> str:
    """A value for people."""
    text = phrase(plain(value))
    return text if len(text) <= limit else text[: limit - 1] + "…"
