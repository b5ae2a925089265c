"""What a person typed, held against what there is: a slip of the finger must never read as "nothing is wrong"."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftguard.errors import InputError
from driftguard.model import ComplianceType, DriftStatus, FindingKind, FindingStatus, Severity

if TYPE_CHECKING:
    from driftguard.history.port import Query
    from driftguard.model import Report
    from driftguard.rules.frameworks import Framework
    from driftguard.settings import Settings
    from driftguard.wiring import Wiring

SEVERITIES = tuple(map(str, Severity))
KINDS = tuple(map(str, FindingKind))
_CUSTOM = "Custom::"
"""Types that templates make up: nobody lists them."""
_STACK_STATUSES = tuple(
    f"{deed}_{end}"
    for deed, ends in {
        "CREATE": ("IN_PROGRESS", "COMPLETE", "FAILED"),
        "DELETE": ("IN_PROGRESS", "COMPLETE", "FAILED"),
        "ROLLBACK": ("IN_PROGRESS", "COMPLETE", "FAILED"),
        "UPDATE": ("IN_PROGRESS", "COMPLETE_CLEANUP_IN_PROGRESS", "COMPLETE", "FAILED"),
        "UPDATE_ROLLBACK": ("IN_PROGRESS", "COMPLETE_CLEANUP_IN_PROGRESS", "COMPLETE", "FAILED"),
        "IMPORT": ("IN_PROGRESS", "COMPLETE"),
        "IMPORT_ROLLBACK": ("IN_PROGRESS", "COMPLETE", "FAILED"),
        "REVIEW": ("IN_PROGRESS",),
    }.items()
    for end in ends
)
STATUSES = {
    "findings": ("OPEN", *map(str, FindingStatus)),
    "drift": ("DRIFTED", *map(str, DriftStatus)),
    "compliance": tuple(map(str, ComplianceType)),
    "stacks": _STACK_STATUSES,
}
"""The statuses of each list, with the words that stand for several of them."""


def wild(name: str) -> bool:
    """Whether ``name`` is a pattern: ``*`` and ``?`` are wildcards."""
    return "*" in name or "?" in name


def listed(names: Iterable[str]) -> str:
    """``names`` for a sentence: the last one behind an "or"."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


def nearest(typed: str, known: Iterable[str]) -> str:
    """The known name that looks most like ``typed``, whatever its case; empty when none does."""
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(typed.casefold(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else ""


def unknown(what: str, typed: str, known: Iterable[str], fix: str, *, like: str = "") -> InputError:
    """The error for a name that there is not: the nearest one that there is (to ``like``), and what to do."""
    near = nearest(like or typed, known)
    return InputError(f"there is no {what} {typed}.", fix=f"Did you mean `{near}`? {fix}" if near else fix)


def words(what: str, typed: Iterable[str], known: tuple[str, ...]) -> tuple[str, ...]:
    """``typed`` in capitals, each one of ``known`` or a pattern that fits one.  Raises `InputError`."""
    capital = tuple(word.strip().upper() for word in typed)
    for word in capital:
        if not any(fnmatchcase(one, word) if wild(word) else one == word for one in known):
            raise unknown(what, word, known, f"Known here: {', '.join(known)}.")
    return capital


def framework_of(typed: str, known: Iterable[str]) -> str:
    """The framework that ``typed`` names in any case of letters.  Raises `InputError`."""
    names = sorted(set(known))
    found = next((name for name in names if name.casefold() == typed.casefold()), None)
    if found is None:
        raise unknown("framework", typed, names, f"Known: {', '.join(names)}.")
    return found


def known_framework(typed: str) -> Framework:
    """The framework of ours that ``typed`` names in any case of letters.  Raises `InputError`."""
    from driftguard.rules.shipped import all_frameworks

    known = {one.id: one for one in all_frameworks().frameworks}
    return known[framework_of(typed, known)]


def known_types(settings: Settings) -> frozenset[str]:
    """The resource types of AWS's registry, and those of the accounts' own schemas."""
    from driftguard.live import ACCOUNT
    from driftguard.schema import registry
    from driftguard.schema.accounts import load

    own = Path(settings.scan.schemas).glob("*/*.json") if settings.scan.schemas else ()
    return frozenset((*registry().types(), ACCOUNT, *(name for file in own for name in load(file))))


def refuse_types(typed: Iterable[str], known: Collection[str], seen: Callable[[str], bool]) -> None:
    """Raises `InputError` for a type, or a pattern, that is not ``known``, and of which nothing was ever ``seen``."""
    for name in typed:
        if name in known or name.startswith(_CUSTOM) or seen(name):
            continue
        if not (wild(name) and any(fnmatchcase(one, name) for one in known)):
            fix = "Write it as AWS::S3::Bucket, or with wildcards as AWS::S3::*."
            raise unknown("resource type", name, known, fix)


class Names:
    """The names that a store and its settings know."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring, self._store = wiring, wiring.store

    def looked_at(self, at: datetime | None) -> None:
        """Raises `InputError` when no scan had looked by ``at`` (UTC; None: now): no verdict is not a good one."""
        from driftguard.history.port import Query

        runs = self._store.runs
        if runs(Query(at=at, statuses=("SUCCEEDED", "INTERRUPTED"), limit=1)).items:
            return
        oldest = runs(Query(limit=1, order="started_at")).items
        if at is None or not oldest:
            raise InputError("there is no run yet.", fix="`driftguard scan` makes one.")
        raise InputError(
            f"nothing had been looked at by {at:%Y-%m-%d %H:%M} UTC.",
            fix=f"The first run began {oldest[0].started_at:%Y-%m-%d %H:%M} UTC (`driftguard history --runs`).",
        )

    def checked(self, query: Query, *, judged: bool = False) -> Query:
        """``query``, its policies by their own ids.  Raises `InputError` for a name that nothing here has, and
        with ``judged`` for a policy by which nothing is judged.
        """
        if query.types:
            known = known_types(self._wiring.settings)
            refuse_types(query.types, known, lambda name: self._seen(types=(name,)))
        self._places("account", "accounts", query)
        self._places("region", "regions", query)
        self._places("stack", "stacks", query)
        policies = tuple(self._policy(name, judged=judged) for name in query.subjects)
        return dataclasses.replace(query, subjects=policies)

    def _places(self, what: str, field: str, query: Query) -> None:
        for name in getattr(query, field):
            if name in self._named[field] or self._seen(at=query.at, **{field: (name,)}):
                continue
            raise unknown(
                what, name, self._named[field], f"No scan has seen this {what}, and no setting names it."
            )

    def _policy(self, name: str, *, judged: bool) -> str:
        from driftguard.history.port import Query

        query = Query(subjects=(name,), limit=1)
        if self._store.findings(query).items or self._store.evaluations(query).items:
            return name
        shelf = self._wiring.catalogue.words()
        if wild(name) and any(fnmatchcase(one, name) for one in shelf):
            return name
        policy = self._wiring.catalogue.known(name)
        if policy is None:
            raise unknown("policy", name, shelf, "`driftguard policies list` shows them all.")
        if policy.id != name:
            return self._policy(policy.id, judged=judged)
        if judged and self._wiring.catalogue.get(name) is None:
            raise InputError(
                f"nothing is judged by the policy {name}.",
                fix="Name it in `policies.include`, and scan again.",
            )
        return name

    def _seen(self, *, at: datetime | None = None, **field: Any) -> bool:
        """Whether anything in the store has this, now, at the moment asked about, or as a finding of any time."""
        from driftguard.history.port import Query

        store = self._store
        lists = (
            store.resources,
            store.findings,
            store.drifts,
            *((store.stacks,) if "types" not in field else ()),
        )
        moments = dict.fromkeys((None, at))
        return any(ask(Query(limit=1, at=when, **field)).items for when in moments for ask in lists)

    @cached_property
    def _named(self) -> dict[str, tuple[str, ...]]:
        """Names to compare with: what the settings and the newest report name, and the stacks."""
        from driftguard.history.port import Query

        scope, store = self._wiring.settings.scope, self._store
        report: Report | None = store.report()
        keys = [finding.key for finding in report.findings] if report else []
        gaps = report.gaps if report else ()
        return {
            "accounts": tuple(
                dict.fromkeys(
                    [one.id for one in scope.accounts]
                    + [key.account for key in keys]
                    + [gap.account for gap in gaps if gap.account]
                )
            ),
            "regions": tuple(
                dict.fromkeys(
                    [*scope.regions, *(region for one in scope.accounts for region in one.regions or ())]
                    + [key.region for key in keys]
                    + [gap.region for gap in gaps if gap.region]
                )
            ),
            "stacks": tuple(dict.fromkeys(one.name for one in store.stacks(Query(limit=10_000)).items)),
        }
