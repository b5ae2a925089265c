"""Progress on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Protocol

from driftguard.scan import Progress

_PHASES = {
    "read": "reading AWS",
    "decide": "comparing and judging",
    "record": "recording",
    "name": "asking who made the other changes",
}


class Shown(Progress, Protocol):
    """A progress that is shown while it is entered."""

    def __enter__(self) -> Shown: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def shown() -> Shown:
    """A bar when stderr is a terminal, lines otherwise."""
    return Bar() if sys.stderr.isatty() else Lines()


class _Counting:
    """Counts from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, Counter[str]] = {}

    def _add(self, place: str, what: str, count: int) -> str:
        with self._lock:
            counts = self._counts.setdefault(place, Counter())
            counts[what] += count
            return ", ".join(f"{number} {name}" for name, number in counts.items())


class Lines(_Counting):
    """One line for each place when it is done, and one for each phase."""

    def __init__(self) -> None:
        super().__init__()
        self._started = time.monotonic()

    def __enter__(self) -> Lines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def phase(self, name: str) -> None:
        self._say(_PHASES.get(name, name))

    def start(self, place: str) -> None:
        self._add(place, "stacks", 0)

    def advance(self, place: str, what: str, count: int = 1) -> None:
        self._add(place, what, count)

    def finish(self, place: str) -> None:
        self._say(f"{place}: {self._add(place, 'resources', 0)}")

    def _say(self, text: str) -> None:
        print(f"[{time.monotonic() - self._started:6.1f}s] {text}", file=sys.stderr, flush=True)


class Bar(_Counting):
    """A live line for each place."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import Progress as RichProgress
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

        super().__init__()
        self._bar = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description:<32}"),
            TextColumn("{task.fields[found]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def phase(self, name: str) -> None:
        self.start(_PHASES.get(name, name))

    def start(self, place: str) -> None:
        task = self._bar.add_task(place, total=1, found="")
        with self._lock:
            self._tasks[place] = task

    def advance(self, place: str, what: str, count: int = 1) -> None:
        self._bar.update(self._tasks[place], found=self._add(place, what, count))  # type: ignore[arg-type]  # TaskID is an int

    def finish(self, place: str) -> None:
        self._bar.update(self._tasks[place], completed=1)  # type: ignore[arg-type]  # TaskID is an int
