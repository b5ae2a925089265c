"""Name who made each drift.

The one look outside after deciding: only changes that nobody is named for are asked about, and a missing
answer changes nothing but the name beside one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from driftguard.aws import Aws
from driftguard.history.faults import moved_on, of_drift
from driftguard.model import ChangedBy, Drift, DriftStatus, Finding, ResourceKey, Source
from driftguard.scan.readings import Memory, Readings
from driftguard.scan.trail import ASK_AGAIN, LOOK_BACK, Heard, Question, ask, nothing_heard, with_acts

_CONFIG_LAG = timedelta(minutes=15)
"""How old what AWS Config shows may be: a change may have been made so long before a scan that did not see it."""
_CLOCKS = timedelta(seconds=2)
"""CloudTrail tells whole seconds, and no two clocks are one."""
_Which = tuple[ResourceKey, str, str]


def blame(
    aws: Aws,
    drifts: Sequence[Drift],
    readings: Readings,
    memory: Memory,
    cancelled: Callable[[], bool],
    heard: Heard = nothing_heard,
) -> tuple[Drift, ...]:
    """The drifts, each change with the event that made it where one is known or could be found."""
    known = {finding.fingerprint: finding for finding in memory.findings}
    found: dict[_Which, Drift] = {}
    questions: list[Question] = []
    for drift in drifts:
        if not drift.drifted and drift.status is not DriftStatus.UNMANAGED:
            continue
        remembered, wanted, over = _remembered(drift, known, readings)
        found[_which(drift)] = remembered
        if wanted:
            questions.append(_question(remembered, readings, memory, over))
    # What was changed comes before what was made: the first calls are sure to be answered.
    questions.sort(key=lambda question: question.drift.status is DriftStatus.UNMANAGED)
    for answer in ask(aws, questions, readings.covered, cancelled, heard):
        found[_which(answer)] = answer
    return tuple(found.get(_which(drift), drift) for drift in drifts)


def _which(drift: Drift) -> _Which:
    return drift.key, drift.stack_id, drift.logical_id


def _question(drift: Drift, readings: Readings, memory: Memory, over: Mapping[str, datetime]) -> Question:
    live = readings.snapshot.resources.get(drift.key)
    since = _since(drift, readings, memory)
    late = _CONFIG_LAG if live is None or live.source is Source.CONFIG else _CLOCKS
    return Question(
        drift=drift,
        since=since,
        right_at={subject: max(since, at - late) for subject, at in over.items()},
        name=live.name if live else None,
        arn=live.arn if live else None,
    )


def _remembered(
    drift: Drift, known: Mapping[str, Finding], readings: Readings
) -> tuple[Drift, bool, dict[str, datetime]]:
    """``drift`` with the names that its findings have already, and whether others are to be looked for.

    Also when its changes that were there before were seen to be over: whoever made one then did not make it now.
    """
    now = readings.snapshot.taken_at
    acts: dict[str, ChangedBy] = {}
    over: dict[str, datetime] = {}
    wanted = False
    for fault in of_drift(drift, None, now, ""):
        finding = known.get(fault.finding.fingerprint)
        subject = fault.finding.subject
        if finding is not None and finding.resolved_at is not None:
            over[subject] = max(finding.resolved_at, over.get(subject, finding.resolved_at))
        if finding is not None and finding.open and moved_on(finding, fault.finding):
            # Who made it what it was is not who made it what it is.
            over[subject] = finding.last_seen
            wanted = True
        elif finding is not None and finding.open and finding.changed_by is not None:
            acts[subject] = finding.changed_by
        elif finding is None or not finding.open or now - finding.first_seen < ASK_AGAIN:
            wanted = True
    live = readings.snapshot.resources.get(drift.key)
    if drift.status is DriftStatus.UNMANAGED and live is not None and live.created_at is not None:
        wanted = wanted and live.created_at > now - LOOK_BACK
    return with_acts(drift, acts), wanted, over


def _since(drift: Drift, readings: Readings, memory: Memory) -> datetime:
    """From when on the change can have been made: not before the state that was accepted last."""
    oldest = readings.snapshot.taken_at - LOOK_BACK
    witness = memory.witnesses.get(drift.key)
    if witness is None or drift.status is DriftStatus.UNMANAGED:
        return oldest
    return max(oldest, witness.accepted_at)
