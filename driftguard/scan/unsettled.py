"""What could not be compared because declarations were not read that may have a say in it.  Pure.

Other stacks may fill a list that a resource leaves open (rules of a security group, policies of a role), or
declare what lies on it (a bucket's policy).  A scan of one stack or region does not see them all, nor does one
of which a template could not be read: there nothing is called in sync, and nothing that is known is called over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from driftguard.declared.out_of_band import CHILD_TYPES, ChildType
from driftguard.history.faults import within
from driftguard.model import (
    DeclaredResource,
    FindingKind,
    FindingStatus,
    NotChecked,
    ResourceKey,
)
from driftguard.model.drift import OTHERS_UNREAD
from driftguard.scan.readings import Memory, Readings

_DETAIL = "not every stack was read that may declare a part of it"


class Unsettled:
    """Tells, for one set of readings, of which places of a resource nothing can be concluded."""

    def __init__(self, readings: Readings, memory: Memory) -> None:
        self._whole = readings.whole
        self._children = readings.children
        self._refused = {
            (gap.account, gap.region, gap.type): gap
            for gap in readings.snapshot.gaps
            if gap.type is not None and gap.identifier is None and gap.stack is None and gap.path is None
        }
        self._told: dict[ResourceKey, list[str]] = defaultdict(list)
        for finding in memory.findings:
            if finding.kind is FindingKind.DRIFT and finding.status is not FindingStatus.RESOLVED:
                self._told[finding.key].append(finding.subject)

    def told(self, key: ResourceKey, path: str) -> bool:
        """Whether a difference from the declaration is known at, above or below ``path``."""
        return any(within(subject, path) for subject in self._told.get(key, ()) if subject)

    def declares(self, kind: ChildType, account: str, region: str) -> bool:
        """Whether all was read that may declare a child of a kind in a place."""
        return self._whole is not None and (account, "global" if kind.abroad else region) in self._whole

    def children(self, declared: DeclaredResource, key: ResourceKey) -> Iterator[NotChecked]:
        """The kinds of children of which one is known to lie on a resource and that were not looked at."""
        if not self._children or key not in self._told:
            return
        place = declared.account, declared.region
        for kind in CHILD_TYPES:
            if kind.parent != declared.type or not self.told(key, kind.path):
                continue
            gap = self._refused.get((*place, kind.type))
            if gap is not None:
                yield NotChecked(path=kind.path, reason=gap.reason, detail=gap.detail)
            elif not self.declares(kind, *place):
                yield unread(kind.path)


def unread(path: str) -> NotChecked:
    """What there is to say of a place in which others may have a say."""
    return NotChecked(path=path, reason=OTHERS_UNREAD, detail=_DETAIL)
