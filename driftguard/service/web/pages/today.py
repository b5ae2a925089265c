"""Today: what is new, worst first, what was not looked at, and when the last and the next run are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from driftguard.history.port import Query
from driftguard.model import FindingStatus, Gap, Run, RunStatus, Severity
from driftguard.report.charts import charts
from driftguard.report.view import Item
from driftguard.service.access.scoped import ScopedStore
from driftguard.service.calling import Calling, Reading, Serving
from driftguard.service.web.items import cards
from driftguard.service.web.render import say_of, show

router = APIRouter()
_SHOWN = 25


@router.get("/")
def today(request: Request, reading: Reading, services: Serving, who: Calling) -> HTMLResponse:
    say = say_of(request)
    runs = reading.runs(Query(limit=10)).items
    last = next((run for run in runs if run.status is RunStatus.SUCCEEDED), None)
    new, total_new = ([], 0) if last is None else _new(request, reading, last)
    listed = {one.finding.fingerprint for one in new}
    worst = reading.findings(Query(statuses=("OPEN",), limit=_SHOWN + len(listed)))
    still = [one for one in worst.items if one.fingerprint not in listed]
    counts = reading.finding_counts(Query(statuses=("OPEN",)))
    points = services.store.trends(limit=90) if reading.accounts is None else ()
    return show(
        request,
        "today",
        last=last,
        running=next((run for run in runs if run.status is RunStatus.RUNNING), None),
        failed=runs[0] if runs and runs[0].status is RunStatus.FAILED else None,
        upcoming=services.upcoming(),
        new=new,
        total_new=total_new,
        still=cards(request, still[:_SHOWN], "" if last is None else last.id),
        total_open=sum(counts.values()),
        counts=[(severity.value, counts.get(severity.value, 0)) for severity in Severity],
        drifted=reading.drifts(Query(statuses=("DRIFTED",), limit=1)).total or 0,
        accepted=sum(reading.finding_counts(Query(statuses=(FindingStatus.SUPPRESSED,))).values()),
        point=points[-1] if points else None,
        gaps=grouped_gaps([] if last is None else reading.gaps(last.id)),
        charts=charts(points, say),
    )


def _new(request: Request, reading: ScopedStore, last: Run) -> tuple[list[Item], int]:
    """What the last run opened, worst first, and how many there are."""
    page = reading.findings(Query(statuses=("OPEN",), since=last.started_at, limit=_SHOWN))
    return cards(request, page.items, last.id, new=True), page.total or 0


def grouped_gaps(gaps: Iterable[Gap]) -> list[tuple[Gap, int]]:
    """One gap of each reason, place, type and missing action, and how many there are, most first."""
    counts: Counter[tuple[str, ...]] = Counter()
    first: dict[tuple[str, ...], Gap] = {}
    for gap in gaps:
        name = (gap.reason.value, gap.account, gap.region, gap.type or "", gap.action or "")
        counts[name] += 1
        first.setdefault(name, gap)
    return [(first[name], count) for name, count in counts.most_common()]
