"""Scans that people and machines start here: one at a time, in a thread, watched while they run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

import structlog

from driftguard.errors import DriftguardError, InputError, RefusedError
from driftguard.history.port import Store
from driftguard.model import Report
from driftguard.scan import Job, Progress, new_run_id, scan
from driftguard.service import emf

log = structlog.get_logger(__name__)


class MakeJob(Protocol):
    """`Wiring.job`."""

    def __call__(
        self, *, trigger: str, accounts: tuple[str, ...] = (), regions: tuple[str, ...] = ()
    ) -> Job: ...


@dataclass(slots=True)
class Watched(Progress):
    """The progress of a run, for a page to show.  Read it through `Scans.progress`."""

    run_id: str
    phase_name: str = "start"
    places: dict[str, bool] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def phase(self, name: str) -> None:
        self.phase_name = name

    def start(self, place: str) -> None:
        with self.lock:
            self.places[place] = False

    def advance(self, place: str, what: str, count: int = 1) -> None:
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + count

    def finish(self, place: str) -> None:
        with self.lock:
            self.places[place] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Where a run stands: its phase, places begun and done, and what was read."""

    run_id: str
    phase: str
    places: int
    done: int
    counts: Mapping[str, int]


class Scans:
    """Starts scans and tells how far they are."""

    def __init__(
        self,
        make_job: MakeJob,
        store: Store,
        run: Callable[[Job, Progress, Callable[[], bool]], Report] = scan,
    ) -> None:
        self._make_job, self._store, self._run = make_job, store, run
        self._busy = threading.Lock()
        self._stop = threading.Event()
        self._watched: Watched | None = None
        self._thread: threading.Thread | None = None

    def refuse_unknown(
        self, accounts: Collection[str], regions: Collection[str], sees: Callable[[str], bool]
    ) -> None:
        """Raise `InputError` for a place that is not in the scope: a scan of nothing would look like a good one.

        Of the known accounts only those are named that the caller ``sees``.
        """
        if not accounts and not regions:
            return
        targets = self._make_job(trigger="service").aws.targets()
        known = {"account": {one.account for one in targets}, "region": {one.region for one in targets}}
        for what, asked in (("account", accounts), ("region", regions)):
            missing = sorted(set(asked) - known[what])
            if missing:
                names = sorted({getattr(one, what) for one in targets if sees(one.account)})
                raise InputError(
                    f"the scope has no {what} {missing[0][:100]}.",
                    fix=f"Known: {', '.join(names)}." if names else "Ask an administrator to add it.",
                )
        if not any(
            (not accounts or one.account in accounts) and (not regions or one.region in regions)
            for one in targets
        ):
            raise InputError(
                "no account of these is looked at in these regions.", fix="The settings say which is where."
            )

    def start(self, actor: str, accounts: tuple[str, ...] = (), regions: tuple[str, ...] = ()) -> str:
        """Start a scan and answer its run id.  Raises `RefusedError` while another one runs here."""
        if not self._busy.acquire(blocking=False):
            raise RefusedError(
                "a scan is running already.", guard="one-scan", fix="Wait for it, and look at the runs page."
            )
        try:
            job = self._make_job(trigger=f"service:{actor}"[:100], accounts=accounts, regions=regions)
            job = replace(job, run_id=new_run_id(datetime.now(UTC)))
            self._watched = Watched(job.run_id)
            self._store.audit(actor, "scan.start", job.run_id, {"accounts": accounts, "regions": regions})
            self._thread = threading.Thread(target=self._work, args=(job, self._watched), name="scan")
            self._thread.start()
        except BaseException:
            self._busy.release()
            raise
        return job.run_id

    def progress(self, run_id: str) -> Snapshot | None:
        """How far a run is, if it runs here."""
        watched = self._watched
        if watched is None or watched.run_id != run_id or not self._busy.locked():
            return None
        with watched.lock:
            return Snapshot(
                run_id=run_id,
                phase=watched.phase_name,
                places=len(watched.places),
                done=sum(watched.places.values()),
                counts=dict(watched.counts),
            )

    def close(self, timeout_seconds: float = 30) -> None:
        """Ask a running scan to stop and wait for it."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    def _work(self, job: Job, watched: Watched) -> None:
        with structlog.contextvars.bound_contextvars(run=job.run_id):
            try:
                report = self._run(job, watched, self._stop.is_set)
                log.info("scan finished")
                emf.tell(report, job.settings.service.emf_namespace)
            except DriftguardError as error:
                log.warning("scan failed", error=str(error))
            except Exception:
                log.exception("scan crashed")
            finally:
                self._busy.release()
