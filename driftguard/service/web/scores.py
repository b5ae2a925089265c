"""Frameworks and their controls, scored from counted verdicts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from driftguard.history.port import Attestation, VerdictCount
from driftguard.model import ComplianceType
from driftguard.rules import Catalogue
from driftguard.rules.frameworks import ControlFile, ControlStatus, Framework


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Resources by verdict, of one policy or of several."""

    compliant: int = 0
    failed: int = 0
    untold: int = 0

    @property
    def judged(self) -> int:
        return self.compliant + self.failed

    def plus(self, other: Tally) -> Tally:
        return Tally(
            compliant=self.compliant + other.compliant,
            failed=self.failed + other.failed,
            untold=self.untold + other.untold,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRow:
    control: ControlFile
    status: ControlStatus
    tally: Tally


def tallies(counts: Iterable[VerdictCount], catalogue: Catalogue) -> dict[str, Tally]:
    """The verdicts of each policy, under its id and its other names."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for one in counts:
        found[one.policy][one.compliance] = one.resources
    result = {
        name: Tally(
            compliant=below.get(ComplianceType.COMPLIANT, 0),
            failed=below.get(ComplianceType.NON_COMPLIANT, 0),
            untold=below.get(ComplianceType.INSUFFICIENT_DATA, 0),
        )
        for name, below in found.items()
    }
    for policy in catalogue.policies:
        for alias in policy.aliases:
            if policy.id in result:
                result.setdefault(alias, result[policy.id])
    return result


def whole(framework: Framework, by_policy: dict[str, Tally]) -> Tally:
    """The verdicts of a framework: each policy counts once, however many controls ask for it."""
    total = Tally()
    for name in framework.policies:
        total = total.plus(by_policy.get(name, Tally()))
    return total


def control_rows(
    framework: Framework, by_policy: dict[str, Tally], attestations: Iterable[Attestation], now: datetime
) -> list[ControlRow]:
    """Every control with what is known of it."""
    said = {one.control for one in attestations if one.expires_at is None or one.expires_at > now}
    rows = []
    for control in framework.controls:
        tally = Tally()
        for name in control.policies:
            tally = tally.plus(by_policy.get(name, Tally()))
        rows.append(
            ControlRow(control=control, status=_status(control, tally, control.id in said), tally=tally)
        )
    return rows


def _status(control: ControlFile, tally: Tally, attested: bool) -> ControlStatus:
    if control.manual:
        return ControlStatus.ATTESTED if attested else ControlStatus.MANUAL
    if tally.failed:
        return ControlStatus.NON_COMPLIANT
    if tally.untold:
        return ControlStatus.INSUFFICIENT_DATA
    return ControlStatus.COMPLIANT if tally.compliant else ControlStatus.NOT_JUDGED
