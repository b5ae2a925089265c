"""What was not looked at, put together so that a person reads one line for one thing to do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from driftguard.model import Gap, GapReason
from driftguard.report.messages import Messages
from driftguard.report.sentences import translated

_NAMED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class GapGroup:
    """Gaps with one reason, place and cause."""

    reason: str
    place: str
    action: str
    detail: str
    affected: str
    count: int


def grouped(gaps: Iterable[Gap], say: Messages) -> tuple[GapGroup, ...]:
    """The gaps, the most frequent first.

    Refusals of one account and region are one group, since one policy answers them all.  Types that cannot be
    read are one group wherever they are: it is the same everywhere.
    """
    groups: dict[tuple[str, str, str], list[Gap]] = defaultdict(list)
    for gap in gaps:
        unsupported = gap.reason is GapReason.UNSUPPORTED and gap.type
        groups[gap.reason.value, "" if unsupported else _place(gap), _cause(gap)].append(gap)
    result = [_group(key, listed, say) for key, listed in groups.items()]
    return tuple(sorted(result, key=lambda group: (-group.count, group.reason, group.place)))


def _place(gap: Gap) -> str:
    return " · ".join(part for part in (gap.account, gap.region) if part)


def _cause(gap: Gap) -> str:
    if gap.reason is GapReason.ACCESS_DENIED and gap.action:
        return ""
    return "" if gap.reason is GapReason.UNSUPPORTED and gap.type else gap.detail


def _group(key: tuple[str, str, str], listed: Sequence[Gap], say: Messages) -> GapGroup:
    reason, place, cause = key
    missing = ", ".join(sorted({gap.action for gap in listed if gap.action}))
    if cause:
        return GapGroup(
            reason=say(f"gap.{reason}"),
            place=place,
            action=missing,
            detail=translated(cause, say.lang),
            affected=_some((_affected(gap) for gap in listed), say),
            count=len(listed),
        )
    if reason == GapReason.ACCESS_DENIED:
        detail = say("gap.denied_detail")
        affected = _some((_affected(gap) for gap in listed), say)
    else:
        detail, affected = _some((gap.type or "" for gap in listed), say), ""
        places = {_place(gap) for gap in listed}
        place = places.pop() if len(places) == 1 else say("gap.places", count=len(places))
    return GapGroup(
        reason=say(f"gap.{reason}"),
        place=place,
        action=missing,
        detail=detail,
        affected=affected,
        count=len(listed),
    )


def _some(texts: Iterable[str], say: Messages) -> str:
    names = sorted({*texts} - {""})
    more = f" {say('elements.more', count=len(names) - _NAMED)}" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _affected(gap: Gap) -> str:
    return " ".join(part for part in (gap.stack, gap.type, gap.identifier, gap.path) if part)
