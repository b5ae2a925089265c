"""Runs over everything, whose numbers may be compared; a look at a part says little of the whole."""

from __future__ import annotations

from itertools import islice

from driftguard.history.port import Page, Query, Store
from driftguard.history.query import every
from driftguard.model import Run, RunStatus
from driftguard.model.trend import TrendPoint
from driftguard.settings.scope import ScopeSettings

_MOST_RUNS = 2000
"""How many of the newest runs are looked through: events may start many between two nights."""
_PER_PAGE = 200


def over_everything(run: Run, scope: ScopeSettings) -> bool:
    """Whether ``run`` was to look at all that the settings name, and came to its end."""
    asked = run.scope
    return (
        run.status is RunStatus.SUCCEEDED
        and not asked.accounts
        and not asked.regions
        and asked.types == scope.types
        and asked.stacks == scope.stacks
    )


def points(store: Store, scope: ScopeSettings, most: int) -> list[TrendPoint]:
    """The numbers of the newest ``most`` runs over everything, the oldest first."""
    looked = 0

    def ask(query: Query) -> Page[Run]:
        nonlocal looked
        page = store.runs(query)
        looked += len(page.items)
        return page

    runs = islice(every(ask, Query(limit=_PER_PAGE)), _MOST_RUNS)
    whole = list(islice((run for run in runs if over_everything(run, scope)), most))
    if not whole:
        return []
    ids = {run.id for run in whole}
    # One more page: runs are numbered as they were written down, which is not quite the order of their starts.
    found = store.trends(since=whole[-1].started_at, limit=looked + _PER_PAGE)
    return [point for point in found if point.run in ids]
