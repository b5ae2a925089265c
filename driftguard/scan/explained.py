"""One resource read again and compared again, for `driftguard explain`.  Nothing is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from driftguard.aws import Aws, Target
from driftguard.compare import Comparison, Explanation, explain
from driftguard.errors import InputError
from driftguard.history.port import Store
from driftguard.history.redact import Redactor
from driftguard.live import Deletion, ReadOptions, read_place
from driftguard.model import DeclaredResource, Drift, DriftStatus, Gap, PropertyDifference, Resource, Snapshot
from driftguard.scan.drifts import Comparer, Rules
from driftguard.scan.progress import Silent
from driftguard.scan.read import read
from driftguard.scan.readings import Memory, Readings
from driftguard.settings import Settings

_OUT_OF_BAND = "/("
_NAMED = 3
"""How many reasons are told for one thing that could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """``before`` is the drift of the last scan, ``now`` that of this moment; both without secrets.

    ``now`` is ``None`` when there is nothing to compare; ``message`` then says why, and ``unread`` whether it
    is only that something could not be read.
    """

    before: Drift
    now: Drift | None
    rows: tuple[Explanation, ...] = ()
    message: str = ""
    unread: bool = False


def explain_again(
    aws: Aws,
    store: Store,
    settings: Settings,
    redactor: Redactor,
    before: Drift,
    *,
    rules: Rules,
    now: datetime,
    baselines: Sequence[DeclaredResource] = (),
) -> Explained:
    """Read the stack of ``before`` and its resource, compare, and say what decided about each property.

    Raises `InputError` when the place is not in the scope of the settings, and the `AwsError` kinds.
    """
    if before.status is DriftStatus.UNMANAGED:
        return _nothing(before, redactor, "No stack declares it, so there is nothing to compare it with.")
    target = _target(aws, before)
    recorded = [one for one in baselines if one.key == before.key]
    if before.stack_id:
        readings = read(
            aws, [target], _narrowed(settings, before), now=now, progress=Silent(), cancelled=lambda: False
        )
    elif recorded:
        readings = _reading(aws, target, recorded[:1], now)
    else:
        return _nothing(before, redactor, "It belongs to no stack that could be read again.")
    declared = next((one for one in readings.declared if _is(one, before)), None)
    if declared is None:
        return _undeclared(before, readings, target, redactor)
    memory = Memory(witnesses=store.witnesses([before.key]))
    found = Comparer(readings, memory, rules, redactor.properties).one(declared)
    return _explained(before, found, declared, readings, redactor)


def _undeclared(before: Drift, readings: Readings, target: Target, redactor: Redactor) -> Explained:
    """Nothing that was read declares it: because nothing does, or because its stack was not read."""
    told = any(one.stack_id == before.stack_id for one in readings.declared) if before.stack_id else True
    gaps = [gap for gap in readings.snapshot.gaps if gap.stack == before.stack]
    if not told:
        # What kept the whole place from being read names no stack.
        gaps += [gap for gap in readings.snapshot.gaps if not gap.stack and _at(gap, target)]
    if gaps:
        details = dict.fromkeys(gap.detail.rstrip(".") or str(gap.reason) for gap in gaps)
        message = redactor.text(f"It could not be read again: {'; '.join(list(details)[:_NAMED])}.")
        return Explained(before=redactor.drift(before), now=None, message=message, unread=True)
    gone = "The deployed template does not declare it any more."
    return _nothing(before, redactor, gone if told else "Its stack is not there any more.")


def _at(gap: Gap, target: Target) -> bool:
    return gap.account in ("", target.account) and gap.region in ("", "global", target.region)


def _explained(
    before: Drift, found: Drift, declared: DeclaredResource, readings: Readings, redactor: Redactor
) -> Explained:
    live = readings.snapshot.resources.get(found.key)
    shown = redactor.drift(found)
    if live is None:
        reasons = [gap.detail or str(gap.reason) for gap in found.not_checked]
        gone = "AWS says that it is gone." if found.status is DriftStatus.DELETED else ""
        reason = f"It could not be read: {reasons[0]}." if reasons else "It could not be read."
        message = redactor.text(gone or reason)
        return Explained(before=redactor.drift(before), now=shown, message=message, unread=not gone)
    comparison = Comparison(
        status=shown.status,
        differences=(*shown.differences, *_by_hand(redactor.drift(before))),
        undeclared=shown.undeclared,
        reordered=shown.reordered,
        not_checked=shown.not_checked,
        folded=shown.folded,
    )
    kind = declared.type
    rows = explain(
        comparison,
        redactor.properties(kind, declared.properties),
        redactor.properties(kind, live.properties),
    )
    clean = (
        replace(
            row,
            expected=redactor.at(kind, row.path, row.expected),
            actual=redactor.at(kind, row.path, row.actual),
        )
        for row in rows
    )
    return Explained(before=redactor.drift(before), now=shown, rows=tuple(clean))


def _by_hand(before: Drift) -> tuple[PropertyDifference, ...]:
    """What the last scan found lying on the resource; one stack alone cannot show that nobody declares it."""
    return tuple(one for one in before.differences if one.path.startswith(_OUT_OF_BAND))


def _nothing(before: Drift, redactor: Redactor, message: str) -> Explained:
    return Explained(before=redactor.drift(before), now=None, message=redactor.text(message))


def _is(declared: DeclaredResource, before: Drift) -> bool:
    if before.stack_id:
        return (declared.stack_id, declared.logical_id) == (before.stack_id, before.logical_id)
    return declared.key == before.key


def _target(aws: Aws, before: Drift) -> Target:
    """The place to read from: where the stack lives, which for IAM and the like is not the key's region."""
    parts = before.stack_id.split(":")
    region = parts[3] if len(parts) > 5 else before.key.region
    for target in aws.targets():
        if target.account == before.key.account and region in (target.region, "global"):
            return target
    raise InputError(
        f"{before.key.account}/{region} is not in the scope of the settings.",
        fix="Use the configuration that the resource was scanned with.",
    )


def _narrowed(settings: Settings, before: Drift) -> Settings:
    scope = settings.scope.model_copy(update={"stacks": (before.stack_id,), "types": (), "exclude_types": ()})
    scanning = settings.scan.model_copy(update={"native_drift": False, "unmanaged": False})
    return settings.model_copy(update={"scope": scope, "scan": scanning})


def _reading(aws: Aws, target: Target, declared: Sequence[DeclaredResource], now: datetime) -> Readings:
    """The readings of a recorded state, which has no stack."""
    place = aws.enter(target)
    if isinstance(place, Gap):
        return Readings(declared=declared, snapshot=Snapshot(taken_at=now, resources={}, gaps=(place,)))
    seen = list(read_place(place, declared, options=ReadOptions(unmanaged=False)))
    return Readings(
        declared=declared,
        snapshot=Snapshot(
            taken_at=now,
            resources={one.key: one for one in seen if isinstance(one, Resource)},
            deleted=frozenset(one.key for one in seen if isinstance(one, Deletion)),
            gaps=tuple(one for one in seen if isinstance(one, Gap)),
        ),
    )
