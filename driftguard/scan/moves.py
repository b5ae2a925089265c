"""Name who made the changes that are no drift: deployments, people who put things right, AWS itself.

Comes after the run was recorded, since the store knows what moved, and no verdict rests on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from driftguard.aws import Aws
from driftguard.history.changes import property_changes
from driftguard.history.faults import within
from driftguard.history.port import Store
from driftguard.model import (
    Act,
    ChangedBy,
    DifferenceType,
    Drift,
    DriftStatus,
    Move,
    PropertyDifference,
    Report,
    Snapshot,
)
from driftguard.scan.trail import ASK_AGAIN, LOOK_BACK, Heard, Question, ask, nothing_heard, parts_of

_ORDER = {DriftStatus.MODIFIED: 0, DriftStatus.DELETED: 1, DriftStatus.UNMANAGED: 2}


def name_moves(
    aws: Aws,
    store: Store,
    report: Report,
    snapshot: Snapshot,
    cancelled: Callable[[], bool],
    heard: Heard = nothing_heard,
) -> None:
    """Find who made what moved lately, and keep it.

    Beyond the names of drifts only an event that names what changed is believed: a history is read for years.
    """
    known = {drift.key: drift.acts for drift in report.drifts if drift.acts}
    seen = snapshot.resources.keys() | snapshot.deleted
    moves = store.moves(snapshot.taken_at - ASK_AGAIN, among=seen)
    questions = [_question(move, known.get(move.key, {})) for move in moves]
    # What was changed comes before what was made: the first calls are sure to be answered.
    questions.sort(key=lambda question: _ORDER[question.drift.status])
    unanswered = [question for question in questions if not _answered(question.drift)]
    answers = [question.drift for question in questions if _answered(question.drift)]
    answers += ask(aws, unanswered, report.covered, cancelled, heard)
    believed = {by.event_id for acts in known.values() for by in acts.values()}
    acts = [
        Act(key=drift.key, at=drift.first_seen, subject=subject, by=_own(store, by))
        for drift in answers
        for subject, by in drift.acts.items()
        if drift.first_seen is not None
    ]
    store.put_acts(act for act in acts if act.by.confidence == "HIGH" or act.by.event_id in believed)


def _own(store: Store, by: ChangedBy) -> ChangedBy:
    """``by`` with the plan and step in it, where it was driftguard itself through Systems Manager.

    An automation's role session is called ``Automation-`` and its execution id.
    """
    kind, _, execution_id = by.session.partition("-")
    execution = store.execution(execution_id) if kind == "Automation" else None
    if execution is None:
        return by
    return replace(by, source=f"driftguard {execution.plan} {execution.step}", confidence="HIGH")


def _question(move: Move, known: Mapping[str, ChangedBy]) -> Question:
    """Who made ``move``, told as a drift from the state before?  ``known`` made the drift of this run."""
    status = DriftStatus.MODIFIED
    if move.before is None or move.after is None:
        status = DriftStatus.DELETED if move.after is None else DriftStatus.UNMANAGED
    drift = Drift(
        key=move.key,
        status=status,
        physical_id=move.key.identifier,
        differences=tuple(_differences(move)),
        first_seen=move.at,
    )
    question = Question(
        drift=drift,
        since=max(move.since or move.at - LOOK_BACK, move.at - LOOK_BACK),
        until=move.until,
        name=move.name,
        arn=move.arn,
        deployment=True,
    )
    acts = {
        subject: by
        for subject in parts_of(drift)
        for told, by in known.items()
        if within(subject, told) and question.holds(by.time)
    }
    return replace(question, drift=replace(drift, acts=acts))


def _differences(move: Move) -> Iterator[PropertyDifference]:
    if move.before is None or move.after is None:
        return
    for change in property_changes(move.before, move.after):
        kind = DifferenceType.NOT_EQUAL
        if change.added or change.removed:
            kind = DifferenceType.ADD if change.added else DifferenceType.REMOVE
        yield PropertyDifference(path=change.path, expected=change.before, actual=change.after, type=kind)


def _answered(drift: Drift) -> bool:
    return all(subject in drift.acts for subject in parts_of(drift))
