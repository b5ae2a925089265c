"""Findings as a user names them: one by one, by a root cause, or by a filter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from driftguard.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftguard.history.port import Query, Store
    from driftguard.model import Finding

_PAGE = 1000
_DIGITS = 8


def findings_of_cause(store: Store, cause_id: str) -> Sequence[Finding]:
    """The open findings of a root cause.  Raises `InputError` when there is no such cause now."""
    from driftguard.history.causes import group
    from driftguard.history.port import Query
    from driftguard.history.query import every

    opened = list(every(store.findings, Query(statuses=("OPEN",), limit=_PAGE)))
    causes = {cause.id: cause for cause in group(opened)}
    cause = causes.get(cause_id)
    if cause is None:
        known = ", ".join(f"{one.id} ({one.title})" for one in list(causes.values())[:5])
        raise InputError(
            f"there is no root cause {cause_id} now.",
            fix=f"There are {known}." if known else "No two open findings share a cause.",
        )
    members = set(cause.fingerprints)
    return [finding for finding in opened if finding.fingerprint in members]


def chosen_findings(
    store: Store, query: Query, names: Sequence[str], causes: Sequence[str] = ()
) -> Sequence[Finding]:
    """The findings called ``names`` and those of ``causes``; without either, all that ``query`` selects.

    Raises `InputError` for a name that there is not.
    """
    if not names and not causes:
        return store.findings(query).items
    found = {one.fingerprint: one for one in (one_finding(store, name) for name in names)}
    shared = [one for cause in causes for one in findings_of_cause(store, cause)]
    return list((found | {one.fingerprint: one for one in shared}).values())


def one_finding(store: Store, name: str) -> Finding:
    """A finding by its fingerprint, or by the first digits of it (eight at least); an open one comes first.

    Raises `InputError` when there is none, or more than one.
    """
    from driftguard.history.port import Query
    from driftguard.history.query import every

    finding = store.finding(name)
    if finding is not None:
        return finding
    known: list[Finding] = []
    for statuses in (("OPEN",), ()) if re.fullmatch(f"[0-9a-f]{{{_DIGITS},}}", name) else ():
        listed = every(store.findings, Query(statuses=statuses, limit=_PAGE))
        known = known or [one for one in listed if one.fingerprint.startswith(name)]
    if len(known) == 1:
        return known[0]
    if known:
        raise InputError(f"{name} names {len(known)} findings.", fix="Give more digits.")
    raise InputError(
        f"there is no finding {name}.",
        fix=f"`driftguard findings` lists them; the first {_DIGITS} digits of an id are enough.",
    )
