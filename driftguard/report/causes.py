"""Root causes as rows: one act, what it did, and who it was."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from driftguard.model import Cause, ChangedBy
from driftguard.report.messages import Messages
from driftguard.report.people import person


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseRow:
    """One root cause, ready to be shown."""

    cause: Cause
    kind: str
    title: str
    severity: str
    who: str
    way: str
    """The same without the name, for a row that the name is the title of."""
    affects: str
    since: str
    todo: str
    """How to plan, or to waive, for the whole row."""


def act(by: ChangedBy, say: Messages) -> str:
    """Who did it, by which way (where CloudTrail tells) and when."""
    form = "who.by" if by.source != "unknown" else "who.somehow"
    return say(form, principal=person(by.principal), source=by.source, time=f"{by.time:%Y-%m-%d %H:%M}")


def _way(by: ChangedBy, say: Messages) -> str:
    form = "who.way" if by.source != "unknown" else "who.when"
    return say(form, source=by.source, time=f"{by.time:%Y-%m-%d %H:%M}")


def cause_rows(causes: Iterable[Cause], shown: Collection[str], say: Messages) -> tuple[CauseRow, ...]:
    """The causes of more than one of the findings that are ``shown`` (fingerprints)."""
    return tuple(
        CauseRow(
            cause=cause,
            kind=say(f"cause.{cause.kind}"),
            title=person(cause.changed_by.principal)
            if cause.kind == "SESSION" and cause.changed_by
            else cause.title,
            severity=say(f"severity.{cause.severity.value}"),
            who=act(cause.changed_by, say) if cause.changed_by else say("who.nobody"),
            way=_way(cause.changed_by, say) if cause.changed_by else "",
            affects=say(
                "cause.affects",
                findings=len(cause.fingerprints),
                resources=cause.resources,
                accounts=cause.accounts,
            ),
            since=f"{cause.first_seen:%Y-%m-%d %H:%M}",
            todo=say("cause.todo", cause=cause.id),
        )
        for cause in causes
        if sum(name in shown for name in cause.fingerprints) > 1
    )
