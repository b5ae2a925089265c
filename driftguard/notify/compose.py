"""From a report to deliveries: which transition goes to which channel, when, and grouped how.  Pure."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from driftguard.model import Finding, Json, Report, Severity, Snapshot
from driftguard.model.notice import Delivery, Message, Notice, Transition
from driftguard.model.remediation import Plan
from driftguard.model.schedule import Slot, SlotState
from driftguard.settings.notify import NotifySettings, QuietHours, Route

Causes = Callable[[Report], Mapping[str, str]]
Document = Callable[[Finding, Report], Mapping[str, Json]]
Title = Callable[[Finding, Report], str]

_STEPS_TOLD = 10


@dataclass(frozen=True, kw_only=True)
class Composer:
    """Settings and what the neighbours know: ``causes`` gives fingerprint -> title of the root cause,
    ``document`` a finding in Security Hub's format, ``title_ko`` what it is called in Korean."""

    settings: NotifySettings
    causes: Causes = field(default=lambda report: {})
    document: Document = field(default=lambda finding, report: {})
    title_ko: Title = field(default=lambda finding, report: "")

    def deliveries(self, report: Report, snapshot: Snapshot, now: datetime) -> tuple[Delivery, ...]:
        """What is to be told of a run: its transitions and nothing else."""
        if not self.settings.routes:
            return ()
        causes = self.causes(report)
        stack_tags = {(s.account, s.region, s.name): s.tags for s in report.stacks}
        groups: dict[tuple[str, bool, datetime, str], list[Notice]] = defaultdict(list)
        for transition, finding in transitions(report):
            resource = snapshot.resources.get(finding.key)
            tags = {
                **stack_tags.get((finding.key.account, finding.key.region, finding.stack), {}),
                **(resource.tags if resource else {}),
            }
            told: set[str] = set()
            for route in self.settings.routes:
                if not matches(route, transition, finding, tags):
                    continue
                digest = route.mode == "digest"
                at = (
                    next_digest(route, now)
                    if digest
                    else not_before(route.quiet_hours, finding.severity, now)
                )
                cause = "" if digest else causes.get(finding.fingerprint, "")
                notice = Notice(
                    transition=transition,
                    finding=finding,
                    document=self.document(finding, report),
                    title_ko=self.title_ko(finding, report),
                )
                for channel in route.channels:
                    if channel not in told:
                        told.add(channel)
                        groups[(channel, digest, at, cause)].append(notice)
        return tuple(
            self._delivery(report, channel, digest, at, cause, notices)
            for (channel, digest, at, cause), notices in groups.items()
        )

    def _delivery(
        self, report: Report, channel: str, digest: bool, at: datetime, cause: str, notices: Sequence[Notice]
    ) -> Delivery:
        ordered = tuple(
            sorted(notices, key=lambda n: (n.transition is Transition.RESOLVED, n.finding.severity.rank))
        )
        worst = min((n.finding.severity for n in ordered), key=lambda severity: severity.rank)
        message = Message(
            title=cause or "", severity=worst, run_id=report.run.id, cause=cause, notices=ordered
        )
        told = sorted(f"{n.transition}:{n.finding.fingerprint}" for n in ordered)
        return Delivery(
            id=_digest(channel, report.run.id, *told),
            channel=channel,
            message=message,
            not_before=at,
            digest=digest,
        )

    def of_plan(self, plan: Plan, now: datetime) -> tuple[Delivery, ...]:
        """That a plan waits for somebody other than its author, and where its page is."""
        worst = min((step.severity for step in plan.steps), key=lambda one: one.rank, default=Severity.LOW)
        page = f"{self.settings.link.rstrip('/')}/plans/{plan.id}" if self.settings.link else plan.id
        steps = [
            f"{step.title}: {step.key.type} {step.key.identifier} ({step.key.account})" for step in plan.steps
        ]
        message = Message(
            title=f"Plan {plan.id} by {plan.author} waits for approval ({len(plan.steps)} steps)",
            title_ko=f"{plan.author}의 계획 {plan.id} 승인 대기 ({len(plan.steps)}단계)",
            severity=worst,
            text="\n".join([page, *steps[:_STEPS_TOLD]]),
        )
        return tuple(
            Delivery(
                id=_digest(name, "plan", plan.id, plan.digest), channel=name, message=message, not_before=now
            )
            for name in self.settings.approvals
        )

    def of_slot(self, slot: Slot, now: datetime) -> tuple[Delivery, ...]:
        """What is to be told of a slot that failed or was missed; a freeze was meant to be, and is not told."""
        missed = slot.state is SlotState.SKIPPED and slot.reason.startswith("missed")
        if not missed and slot.state is not SlotState.FAILED:
            return ()
        channels = self.settings.failures or tuple(
            dict.fromkeys(name for route in self.settings.routes for name in route.channels)
        )
        failed = slot.state is SlotState.FAILED
        message = Message(
            title=f"Schedule {slot.schedule} {'failed' if failed else 'was missed'} ({slot.key})",
            title_ko=f"예약 {slot.schedule} {'실패' if failed else '누락'} ({slot.key})",
            severity=Severity.HIGH if failed else Severity.LOW,
            text=slot.reason,
        )
        return tuple(
            Delivery(
                id=_digest(name, "slot", slot.schedule, slot.key),
                channel=name,
                message=message,
                not_before=now,
            )
            for name in channels
        )


def transitions(report: Report) -> Iterator[tuple[Transition, Finding]]:
    """What happened to findings in this run, waived ones left out."""
    for finding in report.findings:
        if finding.open and finding.fingerprint in report.new:
            yield Transition.NEW, finding
        elif finding.open and finding.fingerprint in report.reopened:
            yield Transition.REOPENED, finding
    for finding in report.resolved:
        if finding.waiver is None:
            yield Transition.RESOLVED, finding


def matches(route: Route, transition: Transition, finding: Finding, tags: Mapping[str, str]) -> bool:
    """Whether a route wants to hear of this."""
    return (
        transition.value in route.transitions
        and finding.severity.rank <= Severity(route.severity).rank
        and _any(route.accounts, finding.key.account)
        and (not route.kinds or finding.kind.value in route.kinds)
        and _any(route.owners, finding.owner)
        and all(_tagged(tag, tags) for tag in route.tags)
    )


def not_before(quiet: QuietHours | None, severity: Severity, now: datetime) -> datetime:
    """Now, or the end of the quiet hours."""
    if quiet is None or severity.rank <= Severity(quiet.except_severity).rank:
        return now
    zone = ZoneInfo(quiet.timezone)
    local = now.astimezone(zone)
    begins, ends = time.fromisoformat(quiet.from_time), time.fromisoformat(quiet.to_time)
    clock = local.time().replace(tzinfo=None)
    inside = begins <= clock < ends if begins <= ends else clock >= begins or clock < ends
    if not inside:
        return now
    day = local.date() if clock < ends else local.date() + timedelta(days=1)
    return datetime.combine(day, ends, zone).astimezone(UTC)


def next_digest(route: Route, now: datetime) -> datetime:
    """The next time at which this route's digest is sent, UTC."""
    zone = ZoneInfo(route.timezone)
    local = now.astimezone(zone)
    at = datetime.combine(local.date(), time.fromisoformat(route.digest_at), zone)
    if at <= now:
        at = datetime.combine(local.date() + timedelta(days=1), at.timetz().replace(tzinfo=None), zone)
    return at.astimezone(UTC)


def _any(patterns: Iterable[str], value: str) -> bool:
    listed = tuple(patterns)
    return not listed or any(fnmatchcase(value, pattern) for pattern in listed)


def _tagged(wanted: str, tags: Mapping[str, str]) -> bool:
    name, _, value = wanted.partition("=")
    return name in tags and fnmatchcase(tags[name], value or "*")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:40]
