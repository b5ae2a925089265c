"""One interpreter that forks a writer, kills it and looks at what it left, over and over.

    python -m tests.fault.killed_writer URL SEED POINTS

Prints for each point how many nights the killed writer had finished, and whether a run was left open.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from dataclasses import replace

from driftguard.history import open_store
from driftguard.history.store import SqlStore
from driftguard.model import DriftStatus, Severity
from driftguard.model.notice import Delivery, Message
from tests.history_values import drift, full_report, night, resource, snapshot

LONGEST = 0.2
"""Seconds before a kill at most, so that a slow machine does not make the test endless."""
RESOURCES = 12


def write_night(store: SqlStore, number: int) -> None:
    """All that a scan writes: the run, what it saw, concluded and wants to tell, and the audit log."""
    whole = full_report(number)
    store.begin_run(replace(whole.run, finished_at=None))
    store.audit("kill", "turn", whole.run.id, {"turn": number})
    found = drift("archive", DriftStatus.DELETED) if number % 2 else whole.drifts[0]
    states = [resource(f"b{n}", {"N": number, "Same": n, "Pad": "x" * 200}) for n in range(RESOURCES)]
    message = Message(title="night", text=f"night {number}", severity=Severity.LOW)
    told = Delivery(id=f"d{number}", channel="mail", message=message, not_before=night(number))
    store.record(
        replace(whole, drifts=(found, *whole.drifts[1:])), snapshot(number, *states), deliveries=(told,)
    )


def check(store: SqlStore) -> int:
    """Assert that what a killed writer left is sound and whole; answers how many runs it left open."""
    assert store.verify() == []
    with store.database.read() as connection:

        def count(sql: str) -> int:
            return int(connection.rows(sql)[0][0])

        recorded = {row[0] for row in connection.rows("SELECT taken_at FROM runs WHERE taken_at IS NOT NULL")}
        began = {row[0] for row in connection.rows("SELECT DISTINCT valid_from FROM versions")}
        assert began == recorded, "a version without its run, or a run without its versions"
        assert count("SELECT COUNT(*) FROM versions WHERE valid_to IS NULL") == RESOURCES, "half a night"
        assert count("SELECT COUNT(*) FROM outbox") == len(recorded), "a message without its run"
        assert count("SELECT COUNT(*) FROM drifts WHERE valid_to IS NULL") == 2, "half a verdict"
        assert count("SELECT COUNT(DISTINCT run_seq) FROM run_members") == len(recorded)
        return count("SELECT COUNT(*) FROM runs WHERE taken_at IS NULL")


def point(url: str, turn: int, seconds: float, *, in_second: bool) -> int:
    """Fork a writer of nights after ``turn``, kill it after ``seconds``; answers how many it finished.

    ``in_second`` counts the seconds from the end of its first night, however slow the machine is.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        store = open_store(url)
        os.write(write, b"r")
        while True:
            write_night(store, turn := turn + 1)
            os.write(write, b"t")
    os.close(write)
    assert os.read(read, 1) == b"r"
    done = len(os.read(read, 1)) if in_second else 0
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, "the writer ended by itself"
    while data := os.read(read, 4096):
        done += len(data)
    os.close(read)
    return done


def main(url: str, seed: int, points: int) -> None:
    rng = random.Random(seed)
    store = open_store(url)
    began = time.perf_counter()
    turn = 3
    for number in range(1, turn + 1):
        write_night(store, number)
    typical = (time.perf_counter() - began) / turn
    store.close()
    opened = 0
    for number in range(points):
        seconds = rng.random() * min(1.2 * typical, LONGEST)
        done = point(url, turn, seconds, in_second=number % 8 == 0)
        turn += done + 1
        store = open_store(url)
        left = check(store)
        store.close()
        print(done, left - opened, flush=True)
        opened = left


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
