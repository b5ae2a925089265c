"""Three nodes, kill -9, zombies, clock jumps, a database that restarts: no slot lost, none doubled."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from driftguard.history import open_store
from driftguard.history.store import SqlStore
from driftguard.model.schedule import SlotState, UnitState
from driftguard.service.scheduler import Timetable, timetables
from tests.fault.schedule_chaos import SETTINGS
from tests.postgres_server import PostgresServer, binaries

ROOT = Path(__file__).parents[2]
KILLS = 52


def _chaos(url: str, seed: int, jumps: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fault.schedule_chaos", url, str(KILLS), str(seed), jumps],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _judge(store: SqlStore, began: datetime) -> Counter[str]:
    """Every slot of the time is in the ledger, and every unit that is done has one recorded run."""
    now = datetime.now(UTC)
    counts: Counter[str] = Counter()
    with store.database.read() as connection:
        effects = Counter(
            row[0] for row in connection.rows("SELECT started_by FROM runs WHERE taken_at IS NOT NULL")
        )
    done = set()
    for name, timetable in timetables(SETTINGS.service.schedules).items():
        slots = {slot.key: slot for slot in store.slots(name, limit=100_000)}
        first = min((slot.due_at for slot in slots.values() if slot.due_at > began), default=now)
        wanted = _keys(timetable, first, now - timedelta(seconds=8))
        missing = [key for key in wanted if key not in slots]
        assert not missing, f"{name}: lost {missing}"
        for slot in slots.values():
            counts[slot.state] += 1
            assert slot.state is not SlotState.FAILED, (slot.key, slot.reason)
            assert slot.state is not SlotState.SKIPPED or slot.reason, slot.key
            if slot.state is SlotState.DUE:
                assert slot.due_at > now - timedelta(seconds=10), f"{name} {slot.key} was never finished"
            for unit in store.units(name, slot.key):
                if unit.state is UnitState.DONE and (name == "night" or unit.account):
                    done.add(f"{name}|{slot.key}|{unit.account}")
    doubled = {effect: n for effect, n in effects.items() if n > 1}
    assert not doubled, f"doubled {doubled}"
    assert set(effects) == done, "an effect without its unit, or a unit without its effect"
    return counts


def _keys(timetable: Timetable, first: datetime, until: datetime) -> list[str]:
    keys = []
    for at in timetable.nominal(first - timedelta(microseconds=1)):
        if at > until:
            return keys
        keys.append(timetable.key(at))
    return keys


def _end(process: subprocess.Popen[str]) -> None:
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors[-3000:]
    kills, frozen = map(int, out.split())
    assert kills >= 50, f"only {kills} kills"
    assert frozen >= 1, "no zombie"


def test_on_sqlite_with_a_clock_that_jumps(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/chaos.db"
    open_store(url).close()
    began = datetime.now(UTC)
    _end(_chaos(url, 7, "jumps"))
    store = open_store(url)
    counts = _judge(store, began)
    assert counts["DONE"] >= 10, counts
    assert store.verify() == []
    store.close()


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of our own: it is shot down while the nodes work."""
    folder = binaries()
    if folder is None:
        pytest.skip("PostgreSQL is not installed: run scripts/install-test-servers")
    home = Path(tempfile.mkdtemp(prefix="driftguard-pg-"))
    server = PostgresServer(home, folder)
    yield server
    server.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.mark.postgres
def test_on_postgres_that_restarts(server: PostgresServer) -> None:
    url = server.database()
    open_store(url).close()
    began = datetime.now(UTC)
    process = _chaos(url, 11, "jumps")
    over = threading.Event()

    def restart() -> None:
        for _ in range(3):
            if over.wait(6):
                return
            server.stop()  # -m immediate: as if it had crashed
            over.wait(0.5)
            server.start()

    restarts = threading.Thread(target=restart)
    restarts.start()
    try:
        _end(process)
    finally:
        over.set()
        restarts.join()
    store = open_store(url)
    counts = _judge(store, began)
    assert counts["DONE"] >= 10, counts
    store.close()
