"""The store over any `Database`: all of the port, and the upkeep that only its owner asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from driftguard.history.database import Database
from driftguard.history.migrate import migrate
from driftguard.history.port import AuditEntry, ImportCounts, Version
from driftguard.history.tables.acts import ActPart
from driftguard.history.tables.audit import AuditPart
from driftguard.history.tables.conclusions import ConclusionPart
from driftguard.history.tables.decisions import DecisionPart
from driftguard.history.tables.documents import DocumentPart
from driftguard.history.tables.finding_rows import FindingPart
from driftguard.history.tables.ledger import LedgerPart
from driftguard.history.tables.outbox import OutboxPart
from driftguard.history.tables.resources import ResourcePart
from driftguard.history.tables.runs import RunPart
from driftguard.history.tables.trends import TrendPart
from driftguard.history.upkeep import UpkeepPart
from driftguard.model import Json, Report, ResourceKey, Snapshot
from driftguard.model.notice import Delivery
from driftguard.model.schedule import Lease

if TYPE_CHECKING:
    from driftguard.history.redact import Redactor


class SqlStore(
    RunPart,
    ResourcePart,
    ActPart,
    ConclusionPart,
    FindingPart,
    DecisionPart,
    AuditPart,
    TrendPart,
    LedgerPart,
    DocumentPart,
    OutboxPart,
    UpkeepPart,
):
    """Memory in a relational database; fulfils `driftguard.history.port.Store`.

    With a ``redactor`` nothing is written that did not pass it.
    """

    def __init__(self, database: Database, url: str = "", redactor: Redactor | None = None) -> None:
        super().__init__(database)
        self.url = url
        self._redactor = redactor

    def migrate(self) -> None:
        migrate(self.database)

    def close(self) -> None:
        self.database.close()

    # -- the door
    def record(
        self,
        report: Report,
        snapshot: Snapshot,
        lease: Lease | None = None,
        deliveries: Sequence[Delivery] = (),
    ) -> ImportCounts:
        if self._redactor is not None:
            report, snapshot = self._redactor.report(report), self._redactor.snapshot(snapshot)
        return super().record(report, snapshot, lease, deliveries)

    def fail_run(self, run_id: str, status: str, error: str) -> None:
        super().fail_run(run_id, status, error if self._redactor is None else self._redactor.text(error))

    def import_states(self, states: Iterable[Version]) -> ImportCounts:
        redactor = self._redactor
        return super().import_states(
            states if redactor is None else (_clean(redactor, state) for state in states)
        )

    def put_witnesses(
        self,
        states: Mapping[ResourceKey, Mapping[str, Json]],
        *,
        actor: str,
        reason: str,
        at: datetime | None = None,
    ) -> None:
        if self._redactor is not None:
            states = {key: self._redactor.properties(key.type, state) for key, state in states.items()}
        super().put_witnesses(states, actor=actor, reason=reason, at=at)

    def audit(self, actor: str, action: str, subject: str, detail: Mapping[str, Json]) -> AuditEntry:
        if self._redactor is not None:
            detail = self._redactor.properties("", detail)
        return super().audit(actor, action, subject, detail)


def _clean(redactor: Redactor, state: Version) -> Version:
    if state.properties is None:
        return state
    properties = redactor.properties(state.key.type, state.properties)
    if properties == state.properties:
        return state
    return replace(state, properties=properties, state_hash="")
