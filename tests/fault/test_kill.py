"""kill -9 at any moment of a write leaves a store that opens, verifies and continues."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from driftguard.history import open_store
from driftguard.history.port import Query
from tests.history_values import report, resource, run, snapshot

POINTS = 200
# One interpreter forks a writer per point, kills it and looks at what it left.
FORKER = """
import os, random, signal, sys, time
from driftguard.history import open_store
from tests.history_values import report, resource, run, snapshot

def write_night(store, number):
    name = f"k{number}"
    store.begin_run(run(number, id=name))
    store.audit("kill", "turn", name, {"turn": number})
    states = [resource(f"b{n}", {"N": number, "Same": n, "Pad": "x" * 200}) for n in range(12)]
    store.record(report(number, run=run(number, id=name)), snapshot(number, *states))

url, seed, first = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
turn = first
began = time.perf_counter()
store = open_store(url)
for _ in range(3):
    write_night(store, turn := turn + 1)
store.close()
typical = (time.perf_counter() - began) / 3
for point in range(int(sys.argv[4])):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        store = open_store(url)
        mine = turn
        os.write(write, b"r")
        while True:
            write_night(store, mine := mine + 1)
            os.write(write, b"t")
    os.close(write)
    os.read(read, 1)
    time.sleep(rng.random() * 1.3 * typical)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    done = 0
    while data := os.read(read, 4096):
        done += len(data)
    os.close(read)
    turn += done + 1
    store = open_store(url)
    with store.database.read() as connection:
        at = {row[0] for row in connection.rows("SELECT taken_at FROM runs WHERE taken_at IS NOT NULL")}
        rows = connection.rows("SELECT DISTINCT valid_from FROM versions")
        assert {row[0] for row in rows} <= at, "a version without its run"
        open_versions = connection.rows("SELECT COUNT(*) FROM versions WHERE valid_to IS NULL")[0][0]
        assert open_versions in (0, 12), "half a night"
        recorded = len(at)
        runs = connection.rows("SELECT COUNT(*) FROM runs")[0][0]
    assert runs >= recorded
    store.close()
    print(turn, done, flush=True)
"""


def _points(url: str, seed: int, first: int, count: int) -> list[tuple[int, int]]:
    out = subprocess.run(
        [sys.executable, "-c", FORKER, url, str(seed), str(first), str(count)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert out.returncode == 0, out.stderr[-3000:]
    return [(int(line.split()[0]), int(line.split()[1])) for line in out.stdout.splitlines()]


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_killed_writer_leaves_a_sound_store(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path}/killed.db"
    else:
        url = request.getfixturevalue("postgres").database()
    open_store(url).close()
    turn, finished, points = 0, 0, 0
    while points < POINTS:
        results = _points(url, points, turn, 40)
        points += len(results)
        turn = results[-1][0]
        finished += sum(done for _, done in results)
    store = open_store(url)
    interrupted = store.runs(Query(statuses=("RUNNING",), limit=1)).total or 0
    assert interrupted > POINTS // 10, f"the kills must fall into writes; {finished} nights ended in peace"
    assert store.verify() == []
    store.record(
        report(turn + 5, run=run(turn + 5, id="after")), snapshot(turn + 5, resource("b0", {"N": -1}))
    )
    assert store.resources(Query(identifiers=("b0",))).items[0].properties["N"] == -1
    assert store.verify() == []
    store.close()
