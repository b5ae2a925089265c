"""The sandbox's own time: the wall clock until a test takes hold of it."""

from __future__ import annotations

import datetime as dt
import threading
import time


class Clock:
    """Real time by default; ``freeze`` stops it, ``advance`` moves it, ``sleep`` waits in it.

    All instants are timezone-aware UTC.  A frozen clock moves only when it is advanced, and whoever
    sleeps in it wakes up as soon as it has been advanced far enough.
    """

    def __init__(self) -> None:
        self._offset = 0.0
        self._frozen_at: float | None = None
        self._moved = threading.Condition()
        self.moves = 0
        """How often the clock was taken hold of."""

    @property
    def frozen(self) -> bool:
        """Whether time stands still."""
        return self._frozen_at is not None

    def timestamp(self) -> float:
        """Seconds since 1970."""
        base = time.time() if self._frozen_at is None else self._frozen_at
        return base + self._offset

    def now(self) -> dt.datetime:
        """The present instant."""
        return dt.datetime.fromtimestamp(self.timestamp(), dt.UTC)

    def freeze(self, at: dt.datetime | None = None) -> None:
        """Stop time, now or at the instant ``at``."""
        with self._moved:
            self._frozen_at = self.timestamp() if at is None else at.timestamp()
            self._offset = 0.0
            self._tell()

    def advance(self, seconds: float) -> None:
        """Move time forward by ``seconds``, frozen or not."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        with self._moved:
            self._offset += seconds
            self._tell()

    def reset(self) -> None:
        """Return to real time."""
        with self._moved:
            self._offset, self._frozen_at = 0.0, None
            self._tell()

    def _tell(self) -> None:
        self.moves += 1
        self._moved.notify_all()

    def sleep(self, seconds: float, *, real_limit: float = 60.0) -> bool:
        """Wait ``seconds`` of this clock's time, at most ``real_limit`` real ones; whether it got there."""
        due = self.timestamp() + seconds
        give_up = time.monotonic() + real_limit
        with self._moved:
            while (missing := due - self.timestamp()) > 0:
                left = give_up - time.monotonic()
                if left <= 0:
                    return False
                self._moved.wait(min(left, left if self.frozen else missing))
        return True
