"""How far a scan is, told to whoever wants to know."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives what a scan is doing.  Called from several threads; must not raise."""

    def phase(self, name: str) -> None:
        """A new paragraph begins: ``read``, ``decide``, ``record``, ``name``."""

    def start(self, place: str) -> None:
        """An account and region is being read (``ACCOUNT/REGION``)."""

    def advance(self, place: str, what: str, count: int = 1) -> None:
        """``count`` more stacks, resources or gaps of ``place`` were read."""

    def finish(self, place: str) -> None:
        """A place is read."""


class Silent:
    """Tells nobody."""

    def phase(self, name: str) -> None: ...
    def start(self, place: str) -> None: ...
    def advance(self, place: str, what: str, count: int = 1) -> None: ...
    def finish(self, place: str) -> None: ...
