"""Root causes as rows: one act, what it did, and who it was."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from driftguard.model import Cause, ChangedBy, PolicySummary
from driftguard.report.messages import Messages
from driftguard.report.people import person
from driftguard.report.retold import policy_title

_IN_TEMPLATE = re.compile(r"(?P<place>.*) \((?P<title>.*)\)", re.DOTALL)
"""The title of a cause in a template that a policy found: the place, and the policy's title."""


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
    return say(
        form, principal=person(by.principal), source=_source(by, say), time=f"{by.time:%Y-%m-%d %H:%M}"
    )


def _source(by: ChangedBy, say: Messages) -> str:
    return say("source.console") if by.source == "console" else by.source


def _way(by: ChangedBy, say: Messages) -> str:
    form = "who.way" if by.source != "unknown" else "who.when"
    return say(form, source=_source(by, say), time=f"{by.time:%Y-%m-%d %H:%M}")


def cause_rows(
    causes: Iterable[Cause],
    shown: Collection[str],
    say: Messages,
    policies: Mapping[str, PolicySummary] | None = None,
) -> tuple[CauseRow, ...]:
    """The causes of more than one of the findings that are ``shown`` (fingerprints)."""
    titles = {one.title: policy_title(one, say) or one.title for one in (policies or {}).values()}
    return tuple(
        CauseRow(
            cause=cause,
            kind=say(f"cause.{cause.kind}"),
            title=_title(cause, titles),
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


def _title(cause: Cause, titles: Mapping[str, str]) -> str:
    """What a cause is called; ``titles`` are those of policies in the reader's language, by the kept English one."""
    if cause.kind == "SESSION" and cause.changed_by:
        return person(cause.changed_by.principal)
    named = _IN_TEMPLATE.fullmatch(cause.title) if cause.kind == "TEMPLATE" else None
    if named is not None and named["title"] in titles:
        return f"{named['place']} ({titles[named['title']]})"
    return titles.get(cause.title, cause.title) if cause.kind == "POLICY" else cause.title
