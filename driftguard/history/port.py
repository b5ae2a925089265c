"""The store's port: all that the rest of the house may ask of memory.

Two adapters fulfil it, `driftguard.history.sqlite` and `driftguard.history.postgres`, and one contract
suite runs over both.  Every write is one transaction; every list is paged by an opaque cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, NamedTuple, Protocol, TypeVar

from driftguard.history.kept import AuditEntry, Document
from driftguard.model import (
    Act,
    Drift,
    Evaluation,
    Finding,
    Gap,
    Json,
    Move,
    Report,
    Resource,
    ResourceKey,
    Run,
    Snapshot,
    StackState,
    Waiver,
)
from driftguard.model.notice import Delivery, DeliveryState
from driftguard.model.remediation import Approval, Execution, Plan
from driftguard.model.schedule import Lease, Slot, Unit
from driftguard.model.trend import TrendPoint

T = TypeVar("T")
MOST_KEYS = 1000
"""How many resources a search by name answers at most."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list; ``cursor`` is handed back for the next one, ``None`` on the last."""

    items: tuple[T, ...]
    cursor: str | None = None
    total: int | None = None


class Exact(str):
    """A value of a `Query` that is meant as it stands: names of AWS may hold ``*`` and ``?`` themselves."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A filter.  Empty means any; each tuple is an OR, and the fields are ANDed.  ``*`` and ``?`` are wildcards.

    ``text`` searches names, ids and tags; ``at`` asks for a moment of the past (UTC).
    """

    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
    """Findings first seen at this moment or later (UTC)."""
    text: str = ""
    at: datetime | None = None
    order: str = ""
    limit: int = 100
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One state of a resource, valid from ``valid_from`` until ``valid_to`` (None: still)."""

    key: ResourceKey
    valid_from: datetime
    valid_to: datetime | None
    state_hash: str
    deleted: bool = False
    source: str = ""
    properties: Mapping[str, Json] | None = None
    captured_at: datetime | None = None
    state_id: str | None = None
    """AWS Config's configurationStateId: the same id and capture time are the same state."""
    coverage: frozenset[str] | None = None
    arn: str | None = None
    name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A live state that was accepted: by a deployment, at first sight, or by a person (``actor``)."""

    properties: Mapping[str, Json]
    accepted_at: datetime
    actor: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCounts:
    """What an import did, as ``snapshot import --output json`` prints it."""

    items: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """A person's word for a control that no machine can judge, until ``expires_at``."""

    id: str
    framework: str
    control: str
    actor: str
    at: datetime
    statement: str
    reference: str = ""
    expires_at: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it counts at ``now``."""
        return self.expires_at is None or self.expires_at > now


class VerdictCount(NamedTuple):
    """How many resources a policy gave a verdict on, now."""

    policy: str
    compliance: str
    resources: int


class Store(Protocol):
    """Memory.  Raises `StoreError` for whatever goes wrong below."""

    # -- life
    def migrate(self) -> None:
        """Bring the schema up to date; safe to call from many processes at once."""

    def close(self) -> None: ...

    # -- one run
    def begin_run(self, run: Run) -> None:
        """Write the run as RUNNING, so that a crash leaves a trace."""

    def record(
        self,
        report: Report,
        snapshot: Snapshot,
        lease: Lease | None = None,
        deliveries: Sequence[Delivery] = (),
    ) -> ImportCounts:
        """Write a whole run in one transaction: versions, deletions, drifts, evaluations, findings, gaps.

        With a ``lease`` the same transaction closes its unit (unless the run was interrupted), and a worker
        that has lost it is refused: raises `FencedError`, and nothing is written.  ``deliveries`` go into the outbox.

        A resource absent from ``snapshot.resources`` is closed only when it stands in
        ``snapshot.deleted``.  Unchanged states (same ``state_hash``) add no version.
        """

    def fail_run(self, run_id: str, status: str, error: str) -> None:
        """Close a run that did not reach `record`."""

    def import_states(self, states: Iterable[Version]) -> ImportCounts:
        """Merge states that AWS Config delivered; idempotent and independent of their order."""

    # -- what a scan needs to know before it decides
    def state_hashes(
        self, accounts: Sequence[str] = (), at: datetime | None = None
    ) -> Mapping[ResourceKey, str]:
        """The hash of every resource's state: present ones, or those that were there at ``at``."""

    def live_findings(self) -> Sequence[Finding]:
        """Every finding that is not RESOLVED, plus those resolved recently enough to be reopened."""

    def witnesses(self, keys: Iterable[ResourceKey]) -> Mapping[ResourceKey, Witness]:
        """The accepted live state of each of ``keys`` that has one."""

    def put_witnesses(
        self,
        states: Mapping[ResourceKey, Mapping[str, Json]],
        *,
        actor: str,
        reason: str,
        at: datetime | None = None,
    ) -> None:
        """Accept ``states``, as of ``at`` (now by default); each replaces the witness before it."""

    # -- who made the changes
    def moves(
        self, since: datetime, limit: int = 5000, among: Container[ResourceKey] | None = None
    ) -> Sequence[Move]:
        """What is not as it was before, newest first: changes since ``since`` that no `Act` is known for.

        What the first run of all found is no change.
        """

    def put_acts(self, acts: Iterable[Act]) -> None:
        """Keep who made changes; an act that is there already stays as it is."""

    def acts(self, key: ResourceKey) -> Sequence[Act]:
        """Who made the changes of a resource, newest first."""

    # -- reading
    def runs(self, query: Query) -> Page[Run]: ...
    def run(self, run_id: str) -> Run | None: ...
    def report(self, run_id: str | None = None) -> Report | None:
        """The report of a run (the newest one by default), rebuilt from the rows."""

    def resources(self, query: Query) -> Page[Resource]: ...
    def resource(self, key: ResourceKey, at: datetime | None = None) -> Resource | None:
        """A resource as it is, or was ``at`` a moment (then with the tags that its state of then shows)."""

    def find_keys(self, text: str, accounts: Sequence[str] = ()) -> Sequence[ResourceKey]:
        """Resources whose identifier, ARN, name or logical id is ``text``, or contains it if none is; of ``accounts``, or of all."""

    def versions(self, key: ResourceKey) -> Iterator[Version]:
        """Every version of a resource, newest first, properties included."""

    def drifts(self, query: Query) -> Page[Drift]: ...
    def evaluations(self, query: Query) -> Page[Evaluation]: ...
    def findings(self, query: Query) -> Page[Finding]: ...
    def finding(self, fingerprint: str) -> Finding | None: ...
    def finding_counts(self, query: Query) -> Mapping[str, int]: ...
    def gaps(self, run_id: str) -> Sequence[Gap]: ...
    def stacks(self, query: Query) -> Page[StackState]: ...

    def evaluation_counts(self, query: Query) -> Sequence[VerdictCount]: ...
    def trends(self, since: datetime | None = None, limit: int = 400) -> Sequence[TrendPoint]:
        """The numbers of the newest ``limit`` runs, oldest first."""

    # -- people's decisions
    def mark_notified(self, fingerprints: Iterable[str]) -> None: ...
    def waivers(self, at: datetime | None = None) -> Sequence[Waiver]:
        """The waivers that nobody ended: now, or those that had been made and not ended by ``at``."""

    def put_waiver(self, waiver: Waiver, *, actor: str) -> None:
        """Write a waiver; one of the same id holds no longer, and ``waivers`` of a moment before tells it as it was."""

    def remove_waiver(self, waiver_id: str, *, actor: str) -> None: ...

    def attestations(self, framework: str = "") -> Sequence[Attestation]:
        """What people attested, of one framework or of all."""

    def put_attestation(self, attestation: Attestation) -> None: ...

    # -- remediation
    def put_plan(self, plan: Plan) -> None: ...
    def plan(self, plan_id: str) -> Plan | None: ...
    def plans(self, query: Query) -> Page[Plan]: ...
    def approve_plan(self, plan_id: str, approval: Approval) -> None: ...
    def put_execution(self, execution: Execution) -> bool:
        """Write a step's execution; ``False`` when its token was started already (then nothing changes)."""

    def update_execution(self, execution: Execution) -> None: ...
    def executions(self, plan_id: str) -> Sequence[Execution]: ...
    def execution(self, execution_id: str) -> Execution | None:
        """The step that Systems Manager ran under this automation execution id."""

    # -- the audit log, and what retention must not forget
    def audit(self, actor: str, action: str, subject: str, detail: Mapping[str, Json]) -> AuditEntry: ...
    def audit_entries(self, after: int = 0, limit: int = 1000) -> Sequence[AuditEntry]: ...

    def pin(self, at: datetime, keys: Collection[ResourceKey] | None = None, runs: Sequence[str] = ()) -> int:
        """Keep what ``runs`` saw and the versions valid at ``at``, of ``keys`` or of all; answers how many versions."""

    # -- the run ledger: slots of schedules, units of slots, leases on units
    def clock(self, host: datetime) -> datetime:
        """The clock that all workers of this store go by; ``host`` is the caller's own."""

    def advance(
        self,
        schedule: str,
        now: datetime,
        slots: Callable[[datetime, datetime], Sequence[Slot]],
        *,
        tolerance_seconds: float = 300,
    ) -> Sequence[Slot]:
        """Write down the slots since the last call, as ``slots(after, until)`` gives them; each once for ever.

        The first call only remembers ``now``.  A clock that was set back by more than the tolerance goes on
        from ``now``; what was passed over in that wrong future is forgotten.  Answers the slots that are new.
        """

    def add_slot(self, slot: Slot, now: datetime) -> bool:
        """Write down one slot with its unit; ``False`` when it was there already."""

    def claim(self, owner: str, now: datetime, lease_seconds: float) -> Lease | None:
        """Take the oldest unit that is due, or that a lost worker holds; ``None`` when there is none.

        A unit whose ``max_attempts`` (in the task, 3 by default) are used up is given up instead.
        """

    def renew(self, lease: Lease, now: datetime, lease_seconds: float) -> bool:
        """Hold a unit for longer; ``False`` when it is somebody else's now."""

    def expand(self, lease: Lease, now: datetime, places: Sequence[tuple[str, str]]) -> None:
        """Put units, one for each (account, region), in the place of this one.  Raises `FencedError`."""

    def finish(self, lease: Lease, now: datetime, run_id: str = "") -> None:
        """The unit is done.  Raises `FencedError`."""

    def release(self, lease: Lease, now: datetime) -> None:
        """Give a unit back undone, as if it had not been taken."""

    def fail(self, lease: Lease, now: datetime, error: str, retry_seconds: float) -> bool:
        """The unit went wrong: it comes back later, or is given up.  ``True`` if it was given up."""

    def slots(self, schedule: str = "", limit: int = 100) -> Sequence[Slot]:
        """Slots, newest first."""

    def units(self, schedule: str, slot: str) -> Sequence[Unit]:
        """The units of a slot."""

    def last_success(self) -> Mapping[str, datetime]:
        """When the newest finished slot of each schedule was done."""

    def audit_newest(self, before: int | None = None, limit: int = 100) -> Sequence[AuditEntry]:
        """The newest entries, or those before the sequence ``before``, newest first."""

    # -- what the service keeps
    def put_document(
        self, kind: str, name: str, value: Mapping[str, Json], *, expires_at: datetime | None = None
    ) -> None:
        """Write a document; one of the same kind and name is replaced."""

    def add_document(
        self, kind: str, name: str, value: Mapping[str, Json], *, expires_at: datetime | None = None
    ) -> bool:
        """Write a document that must be new; ``False`` when there is one (then nothing changes)."""

    def document(self, kind: str, name: str) -> Document | None: ...
    def documents(self, kind: str) -> Sequence[Document]: ...
    def take_document(self, kind: str, name: str) -> Document | None:
        """Read and remove a document in one step: of several takers, one gets it."""

    # -- the outbox
    def enqueue(self, deliveries: Sequence[Delivery], now: datetime) -> int:
        """Write deliveries down, each id once for ever; answers how many are new."""

    def take_deliveries(self, now: datetime, lease_seconds: float) -> Sequence[Delivery]:
        """What is to be sent next: one delivery, or all of a digest, as they were before; empty if nothing is.

        One that comes in state SENDING was taken before by somebody who never closed it.
        """

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
        """Say what became of deliveries that were taken; PENDING with ``not_before`` tries again later."""

    def deliveries(self, channel: str = "", limit: int = 100) -> Sequence[Delivery]:
        """Deliveries, newest first."""

    def tell_slots(self, compose: Callable[[Slot], Sequence[Delivery]], now: datetime) -> int:
        """Put what ``compose`` says of each failed or skipped slot into the outbox, each slot once."""
