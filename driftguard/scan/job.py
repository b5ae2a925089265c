"""One scan, from the first call to the recorded report."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from driftguard import __version__
from driftguard.aws import Aws, Target
from driftguard.declared.repository import Repository
from driftguard.history.port import Store
from driftguard.history.redact import Redactor
from driftguard.live.inventory import type_filter
from driftguard.model import DeclaredResource, Report, Run, RunStatus, Scope, Snapshot
from driftguard.model.notice import Delivery
from driftguard.model.schedule import Lease
from driftguard.rules import Catalogue, facts_of
from driftguard.rules.waivers import load_waivers
from driftguard.scan.acceptances import gathered
from driftguard.scan.blame import blame
from driftguard.scan.decide import conclude, policies_version, report
from driftguard.scan.discreet import without_secrets
from driftguard.scan.drifts import Rules, next_witnesses
from driftguard.scan.moves import name_moves
from driftguard.scan.offline import read_offline
from driftguard.scan.progress import Progress, Silent
from driftguard.scan.read import read
from driftguard.scan.readings import Memory, Readings
from driftguard.scan.trail import Heard, nothing_heard
from driftguard.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a scan works with.  The store redacts what it is given; ``redactor`` does the same for the answer."""

    aws: Aws
    store: Store
    redactor: Redactor
    catalogue: Catalogue
    settings: Settings
    trigger: str = "cli"
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    repository: Repository | None = None
    baselines: tuple[DeclaredResource, ...] = ()
    notices: Callable[[Report, Snapshot], Sequence[Delivery]] = lambda report, snapshot: ()
    """Who is to be told what, of the redacted report; recorded in the same transaction."""
    lease: Lease | None = None
    """The unit of a schedule that this scan is; recording it closes the unit in the same transaction."""
    heard: Heard = nothing_heard
    """What is known already of acts in an account and region, before CloudTrail is asked."""
    offline: tuple[Path, ...] = ()
    """Files that AWS Config delivered, to look at instead of AWS."""
    run_id: str = ""
    """The id of the run, where the caller must know it before the scan is over; empty: a new one."""


def scan(job: Job, progress: Progress | None = None, cancelled: Callable[[], bool] = lambda: False) -> Report:
    """Read, decide, record.

    What cannot be read is a gap in the report, not an exception.  Raises `DriftguardError` when nothing can
    be concluded at all: no credentials, no such region, a store that refuses; the run is then FAILED.
    """
    progress = progress or Silent()
    targets = () if job.offline else _targets(job)
    run = _begin(job)
    try:
        progress.phase("read")
        readings = _readings(job, targets, run.started_at, progress, cancelled)
        memory = _memory(job, readings)

        progress.phase("decide")
        rules = rules_of(job.settings)
        verdict = conclude(readings, memory, job.catalogue, rules, run.started_at, job.redactor.properties)
        blamed = verdict.drifts
        if not job.offline:
            blamed = blame(job.aws, verdict.drifts, readings, memory, cancelled, job.heard)
        # From here on there are words for people, and no secret may be in one of them.
        verdict = replace(verdict, drifts=without_secrets(blamed, readings, job.redactor))
        finished = replace(
            run,
            status=RunStatus.INTERRUPTED if cancelled() else RunStatus.SUCCEEDED,
            finished_at=job.clock(),
        )
        whole = report(finished, readings, memory, verdict, job.catalogue, run.started_at)

        progress.phase("record")
        answer = job.redactor.report(whole)
        job.store.record(whole, readings.snapshot, job.lease, job.notices(answer, readings.snapshot))
        # AWS Config's files show less than a scan does, so that they make no witness.
        witnesses = {} if job.offline else next_witnesses(readings, memory, whole.drifts)
        for reason, states in witnesses.items():
            job.store.put_witnesses(states, actor="driftguard", reason=reason, at=run.started_at)
    except BaseException as error:
        status = RunStatus.INTERRUPTED if isinstance(error, KeyboardInterrupt) else RunStatus.FAILED
        job.store.fail_run(run.id, status, str(error) or type(error).__name__)
        raise
    if not job.offline:
        progress.phase("name")
        name_moves(job.aws, job.store, whole, readings.snapshot, cancelled, job.heard)
    return answer


def _readings(
    job: Job,
    targets: Sequence[Target],
    now: datetime,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> Readings:
    if job.offline:
        return read_offline(
            job.offline,
            job.settings,
            now=now,
            progress=progress,
            repository=job.repository,
            accounts=job.accounts,
            regions=job.regions,
        )
    return read(
        job.aws,
        targets,
        job.settings,
        now=now,
        progress=progress,
        cancelled=cancelled,
        repository=job.repository,
        baselines=job.baselines,
        takes=_takes(job.catalogue),
        facts=_facts(job),
        beside=_beside(job, targets),
    )


def _targets(job: Job) -> tuple[Target, ...]:
    return tuple(
        target
        for target in job.aws.targets()
        if (not job.accounts or target.account in job.accounts)
        and (not job.regions or target.region in job.regions)
    )


def _beside(job: Job, targets: Sequence[Target]) -> frozenset[str]:
    """The accounts of which this scan leaves regions out: it never sees all that is declared there."""
    if not job.regions:
        return frozenset()
    return frozenset(target.account for target in job.aws.targets() if target not in targets)


def new_run_id(now: datetime) -> str:
    """An id that sorts by time and is nobody else's."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def _begin(job: Job) -> Run:
    now = job.clock()
    scope = job.settings.scope
    run = Run(
        id=job.run_id or new_run_id(now),
        started_at=now,
        scope=Scope(accounts=job.accounts, regions=job.regions, types=scope.types, stacks=scope.stacks),
        trigger=job.trigger,
        tool_version=__version__,
        policy_version=policies_version(job.catalogue),
    )
    job.store.begin_run(run)
    return run


def _memory(job: Job, readings: Readings) -> Memory:
    keys = [one.key for one in readings.declared if one.key is not None]
    filed, errors = load_waivers(map(Path, job.settings.policies.waivers))
    accepted = gathered(job.store.waivers(), filed, readings.declared, job.catalogue)
    return Memory(
        witnesses=job.store.witnesses(keys),
        findings=job.store.live_findings(),
        waivers=accepted.waivers,
        filed=accepted.filed,
        notes=(*(f"A waiver does not count: {error}" for error in errors), *accepted.notes),
    )


def _takes(catalogue: Catalogue) -> Callable[[str], bool]:
    """Of which policies AWS Config's verdicts are taken: those that are not judged here."""
    judged = catalogue.judged()
    return lambda name: not judged(name)


def _facts(job: Job) -> frozenset[str]:
    """What is asked of an account itself: what the policies on the types in scope need to know of it.

    A look at one security group must not wait for forty questions about the account.
    """
    scope = job.settings.scope
    wants = type_filter(scope.types, scope.exclude_types)
    return facts_of(one for one in job.catalogue.policies if any(map(wants, one.resource_types)))


def rules_of(settings: Settings) -> Rules:
    """What the settings say about comparing."""
    narrowed = bool(settings.scope.stacks)
    return Rules(
        types=settings.scope.types,
        ignore=settings.scan.ignore,
        undeclared=settings.scan.undeclared,
        unmanaged=settings.scan.unmanaged and not narrowed,
        unmanaged_ignore_types=settings.scan.unmanaged_ignore_types,
    )
