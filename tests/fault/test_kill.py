"""kill -9 at any moment of a write leaves a store that opens, verifies and continues."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from driftguard.history import open_store
from tests.fault.killed_writer import check, write_night
from tests.history_values import night

ROOT = Path(__file__).parents[2]
POINTS = 200
STORES = 4
"""Stores that share the points, so that verifying one after each kill stays cheap."""


def _kill(url: str, seed: int) -> list[tuple[int, int]]:
    """(nights finished, runs left open) of each of one store's points."""
    out = subprocess.run(
        [sys.executable, "-m", "tests.fault.killed_writer", url, str(seed), str(POINTS // STORES)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=140,
        check=False,
    )
    assert out.returncode == 0, out.stderr[-3000:]
    return [(int(done), int(left)) for done, left in map(str.split, out.stdout.splitlines())]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def urls(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        yield [server.database() for _ in range(STORES)]
        return
    # What the page cache holds outlives a killed process: a disk would only make the test slower.
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield [f"sqlite:///{folder}/{number}.db" for number in range(STORES)]


def test_a_killed_writer_leaves_a_sound_store(urls: list[str]) -> None:
    points = [point for seed, url in enumerate(urls) for point in _kill(url, seed)]
    assert len(points) == POINTS
    torn = sum(left for _, left in points)
    assert torn > POINTS // 4, f"the kills must fall into writes, and {torn} did"
    assert any(done for done, _ in points), "some nights must have been finished before the kill"
    for url in urls:
        store = open_store(url)
        write_night(store, 100_000)
        newest = store.report()
        assert newest is not None and newest.run.started_at == night(100_000)
        check(store)
        store.close()
