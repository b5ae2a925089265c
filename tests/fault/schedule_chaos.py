"""Three nodes on one ledger, killed, frozen and lied to about the time; run as a program by the test.

``python schedule_chaos.py URL KILLS SEED JUMPS``: one interpreter imports everything once and forks the
nodes, so that a kill costs little.  Prints the number of kills and freezes.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from driftguard.errors import StoreError
from driftguard.history import open_store
from driftguard.model.schedule import Lease
from driftguard.service.scheduler import Scheduler
from driftguard.settings import Settings
from tests.history_values import report, run, snapshot

NODES = 3
SETTINGS = Settings.model_validate(
    {
        "service": {
            "schedules": [
                {"id": "night", "every": "2s", "max_attempts": 20},
                {"id": "fleet", "every": "3s", "max_attempts": 20, "units": "account"},
            ],
            "lease": {"seconds": 2, "workers": 2, "reconcile_seconds": 0.5, "retry_seconds": 1},
        }
    }
)


class Services:
    """The composition root of a node: a store, and a clock that somebody sets."""

    settings = SETTINGS

    def __init__(self, url: str, offset: Path) -> None:
        self.store = open_store(url)
        self._offset = offset

    def clock(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(self._offset.read_text() or 0))

    def deliver(self) -> int:
        return 0


def node(url: str, offset: Path, seed: int) -> None:
    while True:
        try:
            services = Services(url, offset)
            break
        except StoreError:
            time.sleep(0.2)
    rng = random.Random(seed)

    def work(lease: Lease, stopped: object) -> None:
        if lease.schedule == "fleet" and not lease.account:
            now = services.store.clock(services.clock())
            services.store.expand(lease, now, [(f"{n:012d}", "") for n in (1, 2, 3)])
            return
        # The effect of a unit is a recorded run that names it.
        name = f"{lease.schedule}|{lease.slot}|{lease.account}"
        number = time.time() % 10**6 / 86400
        mine = run(number, id=f"{os.getpid()}-{time.time_ns()}", trigger=name)
        services.store.begin_run(mine)
        time.sleep(rng.random() * 0.4)
        services.store.record(report(number, run=mine), snapshot(number), lease)

    Scheduler(services, work=work, owner=f"node{os.getpid()}").start()  # type: ignore[arg-type]  # no AWS here
    while True:
        time.sleep(1)


def spawn(url: str, offset: Path, seed: int) -> int:
    child = os.fork()
    if child == 0:
        try:
            node(url, offset, seed)
        finally:
            os._exit(9)
    return child


def end(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def write(offset: Path, seconds: float) -> None:
    fresh = offset.with_suffix(".new")
    fresh.write_text(str(seconds))
    fresh.replace(offset)


def main() -> None:
    url, wanted, seed, jumps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "jumps"
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        offset = Path(folder) / "offset"
        write(offset, 0)
        children = [spawn(url, offset, seed + n) for n in range(NODES)]
        time.sleep(2)
        kills = frozen = 0
        while kills < wanted:
            time.sleep(0.1 + rng.random() * 0.6)
            at = rng.randrange(NODES)
            if kills % 20 == 10 and frozen <= kills // 20:
                os.kill(children[at], signal.SIGSTOP)
                time.sleep(2.5)  # longer than a lease: it wakes up as a zombie
                os.kill(children[at], signal.SIGCONT)
                frozen += 1
                time.sleep(0.5)
            if jumps and rng.random() < 0.15:
                write(offset, rng.choice((0, 0, 15, -15, 2000, -2000)))
            end(children[at])
            kills += 1
            children[at] = spawn(url, offset, seed + 100 + kills)
        write(offset, 0)
        calm = time.monotonic() + 40
        store = open_store(url)
        while time.monotonic() < calm:
            time.sleep(1)
            now = datetime.now(UTC)
            open_slots = [
                s
                for s in store.slots(limit=100_000)
                if s.state == "DUE" and s.due_at < now - timedelta(seconds=4)
            ]
            if not open_slots:
                break
        for child in children:
            end(child)
        store.close()
    print(kills, frozen)


if __name__ == "__main__":
    main()
