"""What runs saw that looked later than another one, and that were recorded before it.

A slow scan may be recorded after a quick one that began while it was under way.  What the later look saw
stands; the earlier one only says in its own report what it saw.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from driftguard.history.codec import from_text, instant, iso
from driftguard.history.database import Connection, batches, marks
from driftguard.history.findings import fine
from driftguard.history.tables.base import members
from driftguard.history.tables.identities import key_of
from driftguard.model import ComplianceType, Drift, Finding, FindingKind, FindingStatus, ResourceKey

_LOOKED_AT = ("IN_SYNC", "MODIFIED", "DELETED", "UNMANAGED")
_NEVER = 2**62
_MET = (ComplianceType.COMPLIANT.value, ComplianceType.NOT_APPLICABLE.value)
_KEY = "r.partition, r.account, r.region, r.type, r.identifier"


class Newer:
    """What was seen after ``at`` (microseconds), as far as it is recorded: most often nothing."""

    def __init__(self, connection: Connection, at: int) -> None:
        self._connection = connection
        rows = connection.rows("SELECT seq, taken_at FROM runs WHERE taken_at > ? ORDER BY taken_at", (at,))
        self._runs = [(int(row[0]), int(row[1])) for row in rows]

    @classmethod
    def than(cls, connection: Connection, run_seq: int) -> Newer:
        """What was seen after a run that is being recorded."""
        rows = connection.rows("SELECT taken_at FROM runs WHERE seq = ? AND taken_at IS NOT NULL", (run_seq,))
        return cls(connection, int(rows[0][0]) if rows else _NEVER)

    def _rows(self, kind: str, sql: str) -> list[Any]:
        """The rows of a kind that those runs saw; ``sql`` asks for the ids in its ``{ids}``."""
        ids = {number for seq, _ in self._runs for number in members(self._connection, seq, kind)}
        return [
            row
            for batch in batches(list(ids))
            for row in self._connection.rows(sql.format(ids=marks(len(batch))), batch)
        ]

    @cached_property
    def drifts(self) -> frozenset[tuple[int, str, str]]:
        """Resource id, stack id and logical id of what was compared."""
        sql = "SELECT resource_id, stack_id, logical_id, status FROM drifts WHERE id IN ({ids})"
        return frozenset((row[0], row[1], row[2]) for row in self._rows("drift", sql) if row[3] in _LOOKED_AT)

    @cached_property
    def evaluations(self) -> frozenset[tuple[int, str, str]]:
        """Resource id, policy and judge of what was judged."""
        sql = "SELECT resource_id, policy, judge FROM evaluations WHERE id IN ({ids})"
        return frozenset((row[0], row[1], row[2]) for row in self._rows("evaluation", sql))

    @cached_property
    def stacks(self) -> frozenset[tuple[str, str, str]]:
        """Account, region and id of the stacks that were read."""
        sql = "SELECT account, region, stack_id FROM stacks WHERE id IN ({ids})"
        return frozenset((row[0], row[1], row[2]) for row in self._rows("stack", sql))

    @cached_property
    def resources(self) -> frozenset[int]:
        """The ids of the resources that were compared or judged."""
        return frozenset(row[0] for row in (*self.drifts, *self.evaluations))

    @cached_property
    def findings(self) -> frozenset[int]:
        """The row ids of findings that were raised again or resolved, and not only carried on."""
        found: set[int] = set()
        for seq, _ in self._runs:
            listed, carried, over = (
                set(members(self._connection, seq, kind)) for kind in ("finding", "carried", "resolved")
            )
            found |= (listed - carried) | over
        return frozenset(found)

    def unwritten(self, documents: Mapping[int, str], run_seq: int) -> dict[int, tuple[str, int, str]]:
        """Findings that a later look left as they were, so that no version of it says so: (document, run, moment).

        Without one, what an earlier run is about to write down would be the last word.
        """
        wanted = [row for row in documents if row in self.findings]
        found: set[int] = set()
        for batch in batches(wanted):
            sql = (
                "SELECT DISTINCT finding_id FROM finding_versions "  # noqa: S608
                f"WHERE run_seq > ? AND finding_id IN ({marks(len(batch))})"
            )
            found |= {row[0] for row in self._connection.rows(sql, (run_seq, *batch))}
        if not self._runs or self._runs[-1][0] <= run_seq:
            return {}
        seq, taken = self._runs[-1]
        return {row: (documents[row], seq, iso(instant(taken))) for row in wanted if row not in found}

    def over(self, findings: Iterable[Finding]) -> dict[str, tuple[int, datetime]]:
        """Those of ``findings`` of which a later look found nothing: its run and moment, by fingerprint."""
        if not self._runs:
            return {}
        listed = [one for one in findings if one.status is not FindingStatus.RESOLVED]
        drifts = self._drifts_of({one.key for one in listed if one.kind is not FindingKind.COMPLIANCE})
        verdicts = self._verdicts_of({(one.key, one.subject) for one in listed})
        seq, taken = self._runs[-1]
        found: dict[str, tuple[int, datetime]] = {}
        for one in listed:
            if one.kind is FindingKind.COMPLIANCE:
                seen = verdicts.get((one.key, one.subject), ())
                over = bool(seen) and all(verdict in _MET for verdict in seen)
            else:
                compared = drifts.get(one.key, ())
                over = bool(compared) and all(fine(drift, one) for drift in compared)
            if over:
                found[one.fingerprint] = seq, instant(taken)
        return found

    def _drifts_of(self, keys: set[ResourceKey]) -> dict[ResourceKey, list[Drift]]:
        sql = f"SELECT d.id, {_KEY} FROM drifts d JOIN resources r ON r.id = d.resource_id WHERE d.id IN ({{ids}})"  # noqa: S608
        wanted = {row[0]: key_of(row[1:]) for row in self._rows("drift", sql) if key_of(row[1:]) in keys}
        found: dict[ResourceKey, list[Drift]] = defaultdict(list)
        for batch in batches(list(wanted)):
            documents = f"SELECT id, document FROM drifts WHERE id IN ({marks(len(batch))})"  # noqa: S608
            for number, document in self._connection.rows(documents, batch):
                found[wanted[number]].append(from_text(Drift, document))
        return found

    def _verdicts_of(self, wanted: set[tuple[ResourceKey, str]]) -> dict[tuple[ResourceKey, str], list[str]]:
        sql = (
            f"SELECT e.policy, e.compliance, {_KEY} FROM evaluations e JOIN resources r "  # noqa: S608
            "ON r.id = e.resource_id WHERE e.id IN ({ids})"
        )
        found: dict[tuple[ResourceKey, str], list[str]] = defaultdict(list)
        for row in self._rows("evaluation", sql):
            subject = key_of(row[2:]), row[0]
            if subject in wanted:
                found[subject].append(row[1])
        return found
