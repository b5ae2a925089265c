"""Today: what is new, worst first, by whose act; what waits for a decision; what was not looked at; the runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from driftguard.history.causes import group
from driftguard.history.port import Query
from driftguard.history.standing import standing_gaps
from driftguard.model import Finding, FindingStatus, Gap, Outcome, Run, RunStatus, Severity
from driftguard.model.notice import DeliveryState
from driftguard.model.remediation import Plan
from driftguard.model.trend import TrendPoint
from driftguard.report.causes import cause_rows
from driftguard.report.charts import charts
from driftguard.report.gaps import grouped
from driftguard.service.access.roles import Permission
from driftguard.service.access.scoped import ScopedStore
from driftguard.service.actions import approved
from driftguard.service.calling import Calling, Reading, Serving
from driftguard.service.services import Services
from driftguard.service.web.items import cards
from driftguard.service.web.render import say_of, show
from driftguard.service.whole import over_everything
from driftguard.settings.scope import ScopeSettings

router = APIRouter()
_SHOWN = 25
_GROUPED = 100
"""How many of the new findings, the worst, are put together by their cause."""
_CAUSES = 6
_GRAVE = (Severity.CRITICAL, Severity.HIGH)
_SOON = timedelta(days=14)
_DAY = timedelta(days=1)
_POINTS = 90
_RUNS = 100
"""How many of the newest runs today may be made of: a night's own, and those that events started since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits for somebody: a plan for its approval, a waiver for its end, a message for its channel."""

    plans: tuple[Plan, ...]
    ending: int
    over: int
    unsent: int

    def __bool__(self) -> bool:
        return bool(self.plans or self.ending or self.over or self.unsent)


@router.get("/")
def today(request: Request, reading: Reading, services: Serving, who: Calling) -> HTMLResponse:
    say = say_of(request)
    runs = reading.runs(Query(limit=_RUNS)).items
    seen = _seen(runs, services.settings.scope)
    last, since = (seen[0], _since(seen, services.settings.scope)) if seen else (None, None)
    fresh = reading.findings(Query(statuses=("OPEN",), since=since, limit=_GROUPED)) if since else None
    found: tuple[Finding, ...] = fresh.items if fresh else ()
    listed = {one.fingerprint for one in found[:_SHOWN]}
    worst = reading.findings(Query(statuses=("OPEN",), limit=_SHOWN + len(listed)))
    still = [one for one in worst.items if one.fingerprint not in listed]
    counts = reading.finding_counts(Query(statuses=("OPEN",)))
    points = services.points(_POINTS) if reading.accounts is None else ()
    by_run = _numbers(reading, services, seen)
    return show(
        request,
        "today",
        last=last,
        since=since,
        partial=any(one.outcome is Outcome.PARTIAL for one in seen),
        running=next((run for run in runs if run.status is RunStatus.RUNNING), None),
        failed=runs[0] if runs and runs[0].status is RunStatus.FAILED else None,
        upcoming=services.upcoming(),
        new=cards(request, found[:_SHOWN], new=True),
        total_new=fresh.total or 0 if fresh else 0,
        grave=_grave(found),
        causes=cause_rows(group(found), {one.fingerprint for one in found}, say, services.policies)[:_CAUSES],
        waiting=_waiting(reading, services),
        still=cards(request, still[:_SHOWN]),
        total_open=sum(counts.values()),
        counts=[(severity.value, counts.get(severity.value, 0)) for severity in Severity],
        drifted=reading.drifts(Query(statuses=("DRIFTED",), limit=1)).total or 0,
        accepted=sum(reading.finding_counts(Query(statuses=(FindingStatus.SUPPRESSED,))).values()),
        point=by_run.get(seen[-1].id) if seen else None,
        resolved=sum(by_run[one.id].resolved for one in seen if one.id in by_run),
        gaps=grouped(_gaps(reading, seen), say),
        charts=charts(points, say),
    )


def _grave(worst: Sequence[Finding]) -> str:
    """How many of the new findings cannot wait, what the reader has to know first; ``100+`` of so many that the
    ``worst`` of them leave it open, for a count of all would make the page wait.  Empty: none."""
    found = sum(one.severity in _GRAVE for one in worst)
    return f"{found}+" if found == _GROUPED else str(found or "")


def _seen(runs: Sequence[Run], scope: ScopeSettings) -> list[Run]:
    """The runs that today is made of, newest first: the newest over everything, and those over parts since then;
    where there is none over everything, those of the last day before the newest."""
    done = [one for one in runs if one.status is RunStatus.SUCCEEDED]
    whole = next((index for index, one in enumerate(done) if over_everything(one, scope)), None)
    if whole is not None:
        return done[: whole + 1]
    return [one for one in done if one.started_at > done[0].started_at - _DAY]


def _since(seen: Sequence[Run], scope: ScopeSettings) -> datetime:
    """From when on a finding is new: the start of the newest run over everything, or of the last day."""
    return seen[-1].started_at if over_everything(seen[-1], scope) else seen[0].started_at - _DAY


def _numbers(reading: ScopedStore, services: Services, seen: Sequence[Run]) -> dict[str, TrendPoint]:
    """The numbers of the runs that today is made of; over all accounts, and so for nobody who reads some."""
    if reading.accounts is not None or not seen:
        return {}
    return {one.run: one for one in services.store.trends(since=min(one.started_at for one in seen))}


def _gaps(reading: ScopedStore, seen: Sequence[Run]) -> list[Gap]:
    """What is not looked at now."""
    return standing_gaps((run.scope, reading.gaps(run.id)) for run in seen)


def _waiting(reading: ScopedStore, services: Services) -> Waiting:
    now = services.clock()
    plans = reading.plans(Query(limit=20)).items
    ends = [one.expires_at for one in reading.waivers()]
    unsent = 0
    if services.settings.notify.channels and reading.principal.everywhere(Permission.READ):
        failed = (DeliveryState.FAILED, DeliveryState.UNCERTAIN)
        unsent = sum(one.state in failed for one in services.store.deliveries(limit=50))
    return Waiting(
        plans=tuple(
            plan
            for plan in plans
            if plan.expires_at > now
            and not approved(plan, services)
            and not services.store.executions(plan.id)
            and _answers(plan, services)
        ),
        ending=sum(now < end <= now + _SOON for end in ends),
        over=sum(end <= now for end in ends),
        unsent=unsent,
    )


def _answers(plan: Plan, services: Services) -> bool:
    """Whether any finding is still open that the plan would put right: another plan may have done it."""
    named = dict.fromkeys(one for step in plan.steps for one in (step.finding, *step.findings))
    found = (services.store.finding(fingerprint) for fingerprint in named)
    return any(finding is not None and finding.open for finding in found)
