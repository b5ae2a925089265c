"""The store as one caller may see it: every list is narrowed to the caller's accounts inside the query."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TypeVar

from driftguard.history.port import Exact, Page, Query, Store, VerdictCount
from driftguard.history.timeline import TimelineEntry, acts_of, timeline
from driftguard.model import (
    Drift,
    Evaluation,
    Finding,
    Gap,
    Resource,
    ResourceKey,
    Run,
    StackState,
    Waiver,
)
from driftguard.model.remediation import Plan
from driftguard.rules.globs import fits
from driftguard.service.access.roles import Permission, Principal

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ScopedStore:
    """Reading for one caller.  What lies in an account that the caller may not read is not there."""

    store: Store
    principal: Principal

    @property
    def accounts(self) -> frozenset[str] | None:
        """The accounts that the caller reads; None: all."""
        return self.principal.accounts(Permission.READ)

    def sees(self, account: str) -> bool:
        return self.principal.can(Permission.READ, account)

    def _page(self, read: Callable[[Query], Page[T]], query: Query) -> Page[T]:
        narrowed = narrow(query, self.accounts)
        return Page(items=(), total=0) if narrowed is None else read(narrowed)

    def findings(self, query: Query) -> Page[Finding]:
        return self._page(self.store.findings, query)

    def finding(self, fingerprint: str) -> Finding | None:
        found = self.store.finding(fingerprint)
        return found if found is not None and self.sees(found.key.account) else None

    def finding_counts(self, query: Query) -> dict[str, int]:
        narrowed = narrow(query, self.accounts)
        return {} if narrowed is None else dict(self.store.finding_counts(narrowed))

    def drifts(self, query: Query) -> Page[Drift]:
        return self._page(self.store.drifts, query)

    def resources(self, query: Query) -> Page[Resource]:
        return self._page(self.store.resources, query)

    def resource(self, key: ResourceKey, at: datetime | None = None) -> Resource | None:
        return self.store.resource(key, at) if self.sees(key.account) else None

    def timeline(self, key: ResourceKey) -> list[TimelineEntry]:
        """The changes of a resource, newest first, and who made them."""
        if not self.sees(key.account):
            return []
        return timeline(self.store.versions(key), acts_of(self.store, key))

    def find_keys(self, text: str) -> list[ResourceKey]:
        accounts = self.accounts
        if accounts is not None and not accounts:
            return []
        return list(self.store.find_keys(text, sorted(accounts or ())))

    def evaluations(self, query: Query) -> Page[Evaluation]:
        return self._page(self.store.evaluations, query)

    def evaluation_counts(self, query: Query) -> Sequence[VerdictCount]:
        narrowed = narrow(query, self.accounts)
        return () if narrowed is None else self.store.evaluation_counts(narrowed)

    def stacks(self, query: Query) -> Page[StackState]:
        return self._page(self.store.stacks, query)

    def runs(self, query: Query) -> Page[Run]:
        """Runs are about no single account; their contents are narrowed where they are shown."""
        return self.store.runs(query) if self.principal.can(Permission.READ) else Page(items=(), total=0)

    def never(self) -> bool:
        """Whether nothing was ever looked at."""
        return not self.runs(Query(limit=1)).items

    def run(self, run_id: str) -> Run | None:
        return self.store.run(run_id) if self.principal.can(Permission.READ) else None

    def gaps(self, run_id: str) -> list[Gap]:
        return [gap for gap in self.store.gaps(run_id) if self.accounts is None or self.sees(gap.account)]

    def waivers(self) -> list[Waiver]:
        accounts = self.accounts
        return [
            waiver
            for waiver in self.store.waivers()
            if accounts is None or any(fits(waiver.account, account) for account in accounts)
        ]

    def plans(self, query: Query) -> Page[Plan]:
        page = self.store.plans(query)
        if self.accounts is None:
            return page
        return replace(page, items=tuple(plan for plan in page.items if self._sees_plan(plan)), total=None)

    def plan(self, plan_id: str) -> Plan | None:
        found = self.store.plan(plan_id)
        return found if found is not None and self._sees_plan(found) else None

    def _sees_plan(self, plan: Plan) -> bool:
        """A plan is shown whole or not at all: half a plan cannot be judged, and what it leaves alone is told too."""
        return self.accounts is None or all(self.sees(account) for account in _accounts_of(plan))


def _accounts_of(plan: Plan) -> Iterator[str]:
    """The accounts that a plan tells of.  A finding that it leaves alone names its account at the end of its place;
    one that does not is in no account that a caller could hold."""
    for step in plan.steps:
        yield step.key.account
    for refusal in plan.left:
        yield refusal.place.rpartition("account ")[2]


def _fits(account: str, pattern: str) -> bool:
    return account == pattern or (not isinstance(pattern, Exact) and fnmatchcase(account, pattern))


def narrow(query: Query, accounts: frozenset[str] | None) -> Query | None:
    """``query`` within ``accounts`` (None: all); None when nothing is left to ask for."""
    if accounts is None:
        return query
    chosen = tuple(
        sorted(
            account
            for account in accounts
            if not query.accounts or any(_fits(account, pattern) for pattern in query.accounts)
        )
    )
    return replace(query, accounts=chosen) if chosen else None
