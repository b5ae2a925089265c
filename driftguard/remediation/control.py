"""Pause, resume and abort: said in the audit log, so that it is known who said it, and read from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from driftguard.model import Json

WORDS = {"plan.pause": "pause", "plan.resume": "", "plan.abort": "abort"}
_PAGE = 1000


class Entry(Protocol):
    """An entry of the audit log, as far as it is read here."""

    @property
    def sequence(self) -> int: ...
    @property
    def action(self) -> str: ...
    @property
    def subject(self) -> str: ...


class AuditLog(Protocol):
    def audit(self, actor: str, action: str, subject: str, detail: Mapping[str, Json]) -> object: ...
    def audit_entries(self, after: int = 0, limit: int = 1000) -> Sequence[Entry]: ...


class AuditSwitch:
    """The switch of one plan.  Only entries that it has not seen yet are read."""

    def __init__(self, log: AuditLog, plan_id: str) -> None:
        self._log = log
        self._plan = plan_id
        self._after = 0
        self._word = ""

    def asked(self) -> str:
        """``""`` to go on, ``pause`` or ``abort``."""
        while True:
            entries = self._log.audit_entries(self._after, _PAGE)
            for entry in entries:
                self._after = entry.sequence
                if entry.subject == self._plan and entry.action in WORDS:
                    self._word = WORDS[entry.action]
            if len(entries) < _PAGE:
                return self._word
