"""What a run looked at completely, so that absence means something there.

Absence is evidence only where the whole of something was read: a stack that was read, or an account and
region without a gap.  Everywhere else what was known stays known.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from driftguard.model import Gap, GapReason, Report, ResourceKey, Scope, Snapshot


@dataclass(frozen=True, slots=True)
class Covered:
    """The parts of the estate that a run covered."""

    scope: Scope
    stack_ids: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    gaps: tuple[Gap, ...]
    services: frozenset[tuple[str, str]] = frozenset()
    """(account, service) of the global resources that were seen."""

    @property
    def accounts(self) -> frozenset[str]:
        return frozenset(account for account, _ in self.pairs)

    def region(self, account: str, region: str) -> bool:
        """Whether every stack of ``region`` was listed."""
        narrowed = self.scope.stacks or self.scope.types
        return not narrowed and (account, region) in self.pairs and not self._gap(account, region, None)

    def place(self, key: ResourceKey) -> bool:
        """Whether the absence of ``key`` means something: all of its type was read in its region."""
        if self.scope.stacks or not self.in_types(key) or self._own_gap(key):
            return False
        if key.region == "global":
            return self._place_of_global(key)
        pair = (key.account, key.region)
        return pair in self.pairs and not self._gap(*pair, key.type)

    def _place_of_global(self, key: ResourceKey) -> bool:
        """Whether all of a global type was read: AWS Config records it in one region, and nobody says in which.

        With a gap in some region, only a sibling that was seen tells that it was not that one.  A scan of some
        regions may have left it out, and an interrupted one may have read any part.
        """
        if self.scope.regions:
            return False
        regions = {region for account, region in self.pairs if account == key.account}
        ours = [gap for gap in self.gaps if gap.account in (key.account, "", "*")]
        if any(
            gap.type == key.type or gap.reason is GapReason.INTERRUPTED for gap in ours if gap.stack is None
        ):
            return False
        whole = {region for region in regions if not self._gap(key.account, region, None)}
        if whole == regions:
            return "global" in regions
        return bool(whole - {"global"}) and (key.account, _service(key)) in self.services

    def stacks_of(self, key: ResourceKey) -> bool:
        """Whether every stack was read that may hold ``key``; what is global, in any region."""
        regions = {region for _, region in self.pairs} if key.region == "global" else {key.region}
        return not any(
            gap.stack and gap.account == key.account and gap.region in regions for gap in self.gaps
        )

    def in_types(self, key: ResourceKey) -> bool:
        """Whether the run asked for resources of this type at all."""
        return not self.scope.types or any(fnmatchcase(key.type, kind) for kind in self.scope.types)

    def _own_gap(self, key: ResourceKey) -> bool:
        return any(
            gap.identifier == key.identifier and gap.account == key.account and gap.type in (None, key.type)
            for gap in self.gaps
        )

    def stack(self, stack_id: str, key: ResourceKey) -> bool:
        """Whether a stack's resource was looked for: its stack was read, or its region was read whole."""
        if not stack_id:
            return self.place(key)
        if not self.in_types(key) or self._own_gap(key):
            return False
        if stack_id in self.stack_ids:
            return not any(
                gap.stack is not None and gap.stack in (stack_id, stack_name(stack_id)) for gap in self.gaps
            )
        return self.region(key.account, key.region)

    def _gap(self, account: str, region: str, kind: str | None) -> bool:
        """Whether something of ``region`` as a whole (or of ``kind`` there) could not be read."""
        return any(
            gap.account in (account, "", "*")
            and gap.region in (region, "", "*")
            and gap.identifier is None
            and gap.path is None
            and gap.stack is None
            and (kind is None or gap.type in (None, kind))
            for gap in self.gaps
        )


def covered(report: Report, snapshot: Snapshot | None = None) -> Covered:
    """What ``report`` covers, told from what it names."""
    pairs = {(stack.account, stack.region) for stack in report.stacks}
    pairs |= {(drift.key.account, drift.key.region) for drift in report.drifts}
    pairs |= {(evaluation.key.account, evaluation.key.region) for evaluation in report.evaluations}
    if snapshot is not None:
        pairs |= {(key.account, key.region) for key in (*snapshot.resources, *snapshot.deleted)}
    pairs |= set(report.covered)
    gaps = tuple(report.gaps) + (tuple(snapshot.gaps) if snapshot is not None else ())
    seen = snapshot.resources.keys() if snapshot is not None else {one.key for one in report.evaluations}
    return Covered(
        scope=report.run.scope,
        stack_ids=frozenset(stack.stack_id for stack in report.stacks),
        pairs=frozenset(pairs),
        gaps=gaps,
        services=frozenset((key.account, _service(key)) for key in seen if key.region == "global"),
    )


def _service(key: ResourceKey) -> str:
    return key.type.split("::")[1]


def stack_name(stack_id: str) -> str:
    """The stack's name in its ARN: ``arn:...:stack/NAME/UUID``."""
    parts = stack_id.split("/")
    return parts[1] if len(parts) > 1 else stack_id
