"""The store over any `Database`: all of the port, and the upkeep that only its owner asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from driftguard.errors import StoreError
from driftguard.history.codec import encode
from driftguard.history.database import Database
from driftguard.history.kept import AuditEntry
from driftguard.history.migrate import migrate
from driftguard.history.port import Attestation, ImportCounts, Version, Witness
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
from driftguard.model import Act, Json, Report, ResourceKey, Run, Snapshot, Waiver
from driftguard.model.notice import Delivery, DeliveryState
from driftguard.model.remediation import Approval, Execution, Plan
from driftguard.model.schedule import Lease, Slot

if TYPE_CHECKING:
    from driftguard.history.redact import Redactor

T = TypeVar("T")


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

    # -- the door: everything that is written passes here, and nothing else calls the parts below
    def _said(self, value: T) -> T:
        return value if self._redactor is None else self._redactor.said(value)

    def begin_run(self, run: Run) -> None:
        super().begin_run(self._said(run))

    def record(
        self,
        report: Report,
        snapshot: Snapshot,
        lease: Lease | None = None,
        deliveries: Sequence[Delivery] = (),
    ) -> ImportCounts:
        if self._redactor is not None:
            report, snapshot = self._redactor.report(report), self._redactor.snapshot(snapshot)
        return super().record(report, snapshot, lease, self._said(tuple(deliveries)))

    def fail_run(self, run_id: str, status: str, error: str) -> None:
        super().fail_run(run_id, status, self._said(error))

    def import_states(self, states: Iterable[Version]) -> ImportCounts:
        redactor = self._redactor
        return super().import_states(states if redactor is None else map(redactor.version, states))

    def witnesses(self, keys: Iterable[ResourceKey]) -> Mapping[ResourceKey, Witness]:
        """As the redactor of today would have written them, so that they equal the live state of today."""
        found = super().witnesses(keys)
        if self._redactor is None:
            return found
        return {
            key: replace(one, properties=self._redactor.properties(key.type, one.properties))
            for key, one in found.items()
        }

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
        super().put_witnesses(states, actor=actor, reason=self._said(reason), at=at)

    def put_acts(self, acts: Iterable[Act]) -> None:
        super().put_acts(map(self._said, acts))

    # -- what people decide
    def put_waiver(self, waiver: Waiver, *, actor: str) -> None:
        super().put_waiver(self._said(waiver), actor=actor)

    def put_attestation(self, attestation: Attestation) -> None:
        super().put_attestation(self._said(attestation))

    def put_plan(self, plan: Plan) -> None:
        """Raises `StoreError` for a plan with a secret: what was sealed cannot be changed here any more."""
        sealed = encode(plan)
        if self._redactor is not None and self._redactor.texts(sealed) != sealed:
            raise StoreError(
                f"the plan {plan.id} holds a secret, and a secret is not kept.",
                fix="Make a new plan; it leaves out what holds one.",
            )
        super().put_plan(plan)

    def approve_plan(self, plan_id: str, approval: Approval) -> None:
        super().approve_plan(plan_id, self._said(approval))

    def put_execution(self, execution: Execution) -> bool:
        return super().put_execution(self._said(execution))

    def update_execution(self, execution: Execution) -> None:
        super().update_execution(self._said(execution))

    def audit(self, actor: str, action: str, subject: str, detail: Mapping[str, Json]) -> AuditEntry:
        if self._redactor is not None:
            detail = self._redactor.properties("", detail)
        return super().audit(actor, action, self._said(subject), detail)

    # -- what the service keeps
    def put_document(
        self, kind: str, name: str, value: Mapping[str, Json], *, expires_at: datetime | None = None
    ) -> None:
        super().put_document(kind, name, self._document(kind, value), expires_at=expires_at)

    def add_document(
        self, kind: str, name: str, value: Mapping[str, Json], *, expires_at: datetime | None = None
    ) -> bool:
        return super().add_document(kind, name, self._document(kind, value), expires_at=expires_at)

    def _document(self, kind: str, value: Mapping[str, Json]) -> Mapping[str, Json]:
        return value if self._redactor is None else self._redactor.document(kind, value)

    # -- the ledger and the outbox
    def advance(
        self,
        schedule: str,
        now: datetime,
        slots: Callable[[datetime, datetime], Sequence[Slot]],
        *,
        tolerance_seconds: float = 300,
    ) -> Sequence[Slot]:
        def said(after: datetime, until: datetime) -> Sequence[Slot]:
            return self._said(tuple(slots(after, until)))

        return super().advance(schedule, now, said, tolerance_seconds=tolerance_seconds)

    def add_slot(self, slot: Slot, now: datetime) -> bool:
        return super().add_slot(self._said(slot), now)

    def fail(self, lease: Lease, now: datetime, error: str, retry_seconds: float) -> bool:
        return super().fail(lease, now, self._said(error), retry_seconds)

    def enqueue(self, deliveries: Sequence[Delivery], now: datetime) -> int:
        return super().enqueue(self._said(tuple(deliveries)), now)

    def close_deliveries(
        self,
        deliveries: Sequence[Delivery],
        state: DeliveryState,
        now: datetime,
        *,
        error: str = "",
        reference: str = "",
        not_before: datetime | None = None,
    ) -> None:
        super().close_deliveries(
            deliveries,
            state,
            now,
            error=self._said(error),
            reference=self._said(reference),
            not_before=not_before,
        )

    def tell_slots(self, compose: Callable[[Slot], Sequence[Delivery]], now: datetime) -> int:
        return super().tell_slots(lambda slot: self._said(tuple(compose(slot))), now)
